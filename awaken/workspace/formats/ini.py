"""INI files (``setup.cfg``, ``tox.ini``, ``pytest.ini``), read in one pass.

As ``configparser`` reads them, without interpolation: sections in brackets, ``option = value`` or
``option: value``, and lines that are indented further than the option go on with its value.
``configparser`` itself is no choice for files that nobody vouches for: a run of blanks, and every
faulty line, cost it the square of their number, and ``%(name)s`` a power of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from awaken.workspace.sources import LINE_END, TextError

_SECTION = re.compile(r"\[(?P<name>.+)\]")
_DELIMITER = re.compile(r"[=:]")
_DEFAULTS = "DEFAULT"

Sections = Mapping[str, Mapping[str, str]]
"""The options of each section, by name; names of options are in lower case."""


class NotIni(TextError):
    """The text is not an INI file; says why in a clause."""


def parse_ini(text: str) -> dict[str, dict[str, str]]:
    """Return the sections of ``text``, each with what the section ``DEFAULT`` says as well.

    Raises NotIni, also for a section or an option that comes twice, as the tools do.
    """
    reader = _Reader()
    for number, line in enumerate(LINE_END.split(text), 1):
        reader.line(number, line)
    result = {
        name: {key: "\n".join(lines).rstrip() for key, lines in options.items()}
        for name, options in reader.sections.items()
    }
    defaults = result.pop(_DEFAULTS, {})
    return {name: {**defaults, **options} for name, options in result.items()}


class _Reader:
    """The values of the lines so far; a value is the list of its lines."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, list[str]]] = {}
        self._section: dict[str, list[str]] | None = None
        self._value: list[str] | None = None
        self._indent = 0

    def line(self, number: int, line: str) -> None:
        """Take the next line. Raises NotIni."""
        written = line.strip()
        if written.startswith(("#", ";")):
            return
        indent = len(line) - len(line.lstrip())
        if self._value is not None and (not written or indent > self._indent):
            self._value.append(written)
        elif written:
            self._indent = indent
            header = _SECTION.match(written)
            if header:
                self._open(number, header["name"])
            else:
                self._option(number, written)

    def _open(self, number: int, name: str) -> None:
        if name in self.sections and name != _DEFAULTS:
            raise NotIni(f"the section {name!r} comes twice", number)
        self._section = self.sections.setdefault(name, {})
        self._value = None

    def _option(self, number: int, written: str) -> None:
        if self._section is None:
            raise NotIni("there is no [section] above this line", number)
        delimiter = _DELIMITER.search(written)
        name = written[: delimiter.start()].rstrip().lower() if delimiter else ""
        if delimiter is None or not name:
            raise NotIni("this line is neither a [section] nor an option = value", number)
        if name in self._section:
            raise NotIni(f"the option {name!r} comes twice", number)
        self._value = self._section[name] = [written[delimiter.end() :].strip()]


_REFERENCE = re.compile(r"%(?:%|\((?P<name>[^()]*)\)s)")
_EXPANDED_LIMIT = 100_000
"""Characters that a value may grow to; what programs write so is a list of requirements."""

_NESTED_LIMIT = 10
"""How deep references may lead, as in ``configparser``."""


def expanded_value(options: Mapping[str, str], name: str) -> str:
    """Return the value of an option with ``%(other)s`` replaced as setuptools does; "" without it.

    Raises ValueError, with a clause, for a reference that leads nowhere, in circles or too far.
    """
    value = options.get(name, "")
    for _ in range(_NESTED_LIMIT):
        if "%" not in value:
            return value.replace(_PERCENT, "%")
        value = _replaced_text(options, value)
    raise ValueError(f"the references in {name!r} lead in circles")


_PERCENT = "\0"
"""Stands for ``%%`` while there are references to replace; no text file holds it."""


def _replaced_text(options: Mapping[str, str], value: str) -> str:
    parts = []
    size = at = 0
    for match in _REFERENCE.finditer(value):
        said = _PERCENT if match["name"] is None else options.get(match["name"].lower())
        if said is None:
            raise ValueError(f"there is no option {match['name']!r} here")
        before = value[at : match.start()]
        size += len(before) + len(said)
        if "%" in before:
            break
        if size > _EXPANDED_LIMIT:
            raise ValueError(f"a value grows beyond {_EXPANDED_LIMIT:,} characters")
        parts += [before, said]
        at = match.end()
    if "%" in value[at:]:
        raise ValueError("a single % must be written %%, or begin a reference as in %(name)s")
    return "".join((*parts, value[at:]))

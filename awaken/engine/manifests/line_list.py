"""Requirements that stand one on a line: ``requirements.txt``, and ``setup.cfg`` by ConfigUpdater.

The lines are edited here: no library writes the format of pip, and ConfigUpdater would lay out a
whole value anew, where its comments and line ends stay as they are.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Sequence

from awaken.engine.manifests.requirement_lists import is_requirement
from awaken.engine.manifests.whole_texts import CannotAdd

_COMMENT = re.compile(r"\s#|^#")


class LineList:
    """The ``lines`` of a list, with their ends; the first requirement comes at ``start``.

    ``manifest`` gives the text of the whole manifest, which holds these lines.
    """

    def __init__(
        self, lines: list[str], manifest: Callable[[], str], start: int, indent: str = ""
    ) -> None:
        self.manifest = manifest
        self._lines = lines
        self._start = start
        self._indent = indent

    @property
    def texts(self) -> Sequence[str]:
        """The requirements as they are written, without comments."""
        return [_code(self._lines[at]) for at in self._places()]

    def insert(self, place: int, text: str) -> None:
        """Add a requirement in front of the one at ``place``, or behind the last."""
        places, lines = self._places(), self._lines
        at, indent = self._start, self._indent
        if places:
            at = places[place - 1] + 1 if place else places[0]
            indent = _indent(lines[places[max(place - 1, 0)]])
        while at < len(lines) and at and lines[at - 1].rstrip("\n").endswith("\\"):
            at += 1  # behind all lines of a requirement that goes on
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += "\n"
        lines.insert(at, f"{indent}{text}\n")

    def replace(self, place: int, text: str) -> None:
        """Write the requirement at ``place`` anew."""
        at = self._places()[place]
        line = self._lines[at]
        start = len(_indent(line))
        self._lines[at] = line[:start] + text + line[start + len(_code(line)) :]

    def _places(self) -> list[int]:
        return [
            at
            for at, line in enumerate(self._lines)
            if is_requirement(_code(line).split(" --", maxsplit=1)[0])
        ]


def plain_list(text: str) -> LineList:
    """Return the list that a ``requirements.txt`` is. Raises CannotAdd."""
    if re.search(r"--hash[= ]", text):
        raise CannotAdd("its requirements are pinned with hashes: the tool that does adds it")
    lines = text.splitlines(keepends=True)
    return LineList(lines, lambda: "".join(lines), start=len(lines))


def cfg_list(text: str) -> LineList | None:
    """Return the ``install_requires`` of a ``setup.cfg``; None without. Raises CannotAdd."""
    from configupdater import ConfigUpdater  # noqa: PLC0415  few programs have one

    document = ConfigUpdater()
    try:
        document.read_string(text)
    except configparser.Error as error:
        raise CannotAdd(f"it is not a valid INI file: {error.message.splitlines()[0]}") from error
    if not document.has_option("options", "install_requires"):
        return None
    option = document["options"]["install_requires"]
    if option.value and not option.value.startswith("\n"):
        raise CannotAdd("its install_requires is written on one line")
    return LineList(option.lines, lambda: str(document), start=1, indent="    ")


def _code(line: str) -> str:
    """Return a line without its indentation, its comment and the sign that it goes on."""
    return _COMMENT.split(line, maxsplit=1)[0].rstrip().rstrip("\\").strip()


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]

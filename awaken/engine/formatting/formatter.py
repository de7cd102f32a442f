"""The formatter that the target project declares, and the longest line it allows.

It is run only where awaken wrote, and only on files that it would have left alone before. Nothing
that the project contains is run, nor anything that it could put on Python's path.

Ruff would follow any path that a project names: a device, a pipe, a file of somebody else.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.engine.machine.programs import Bounds, find_program, run_program
from awaken.workspace.formats.ini import NotIni, parse_ini
from awaken.workspace.formats.toml_text import NotToml, parse_toml, tables_in, value_at
from awaken.workspace.reading import METADATA_LIMIT, Enclosure, boundary_of, enclosure_of, text_at

_BLACK_DEFAULT = 88
_PEP8 = 79
_SECONDS = 60
"""As for git: a formatter that takes a minute hangs, and the result stays as awaken wrote it."""
_BYTES = 1 << 30
"""Of memory: ruff takes 20 MB for a file of 10,000 lines, black 200 MB."""
_LENGTHS = range(1, 10_000)
"""Line lengths that are believed. ruff takes up to 320, black any; five digits are a slip."""
_RUFF_FILES = (".ruff.toml", "ruff.toml")
_SETTINGS = (*_RUFF_FILES, "pyproject.toml")
_HOOKS = ".pre-commit-config.yaml"
_MANIFEST = "pyproject.toml"
_NOTHING = "black's default, or the longer lines of a file; nothing is declared"


class Formatter(Struct, frozen=True):
    """How a project is formatted: its longest line and, if it declares one, a command.

    ``command`` formats in place the files whose paths are appended to it; ``root`` is the project
    whose settings it reads. Where nothing is declared, the length is assumed.
    """

    line_length: int = _BLACK_DEFAULT
    command: tuple[str, ...] = ()
    root: Path = Path()
    is_length_assumed: bool = False

    def format(self, texts: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Return the formatted ``texts`` by path (UTF-8, as given), with one call for all.

        Without a command, and where it fails, the result holds nothing.
        """
        if not self.command or not texts:
            return {}
        try:
            settings = list(self._settings(texts))
        except _UnusableSettings:
            return {}
        with tempfile.TemporaryDirectory(prefix="awaken-format-") as name:
            # As deep as it is in its repository, for settings next to it that it extends.
            folder = Path(name, os.path.relpath(self.root, boundary_of(self.root)))
            # The texts last: settings may name one of them.
            files = [*settings, *((Path(path), text) for path, text in texts.items())]
            for path, text in files:
                place = Path(os.path.normpath(folder / path))
                if not place.is_relative_to(name):
                    return {}
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text)
            if not self._run(folder, list(texts)):
                return {}
            return {name: (folder / name).read_bytes() for name in texts}

    def fingerprint(self, paths: Iterable[str]) -> bytes:
        """Return a digest of what decides how the files at ``paths`` are formatted."""
        digest = hashlib.sha256(repr(self).encode())
        if self.command:
            # In place of its version, which only running it would tell.
            status = Path(self.command[0]).stat()
            digest.update(f"{status.st_size} {status.st_mtime_ns}".encode())
            with suppress(_UnusableSettings):
                for _, content in self._settings(paths):
                    digest.update(content)
        return digest.digest()

    def _settings(self, texts: Iterable[str]) -> Iterator[tuple[Path, bytes]]:
        """Yield the settings files in every folder above the files, with their bytes.

        And those that they extend. Raises UnusableSettings.
        """
        enclosure = enclosure_of(self.root)
        folders = {folder for path in texts for folder in Path(path).parents}
        for folder in sorted(folders):
            for name in _SETTINGS:
                place = self.root / folder / name
                try:
                    content = enclosure.read(place, METADATA_LIMIT)
                except FileNotFoundError:  # most folders have none
                    continue
                except OSError as error:
                    raise _UnusableSettings(f"{place} cannot be read in the project") from error
                yield folder / name, content
                for other, text in self._extended_pairs(enclosure, place, content):
                    yield Path(os.path.relpath(other, self.root)), text

    def _extended_pairs(
        self, enclosure: Enclosure, place: Path, content: bytes
    ) -> Iterable[tuple[Path, bytes]]:
        # Of settings of black nothing leads elsewhere.
        is_ruff = self.command[1:2] == _ARGUMENTS["ruff"][:1]
        return _extended_files(enclosure, place, content) if is_ruff else ()

    def _run(self, folder: Path, paths: list[str]) -> bool:
        try:
            done = run_program(
                # Whole paths: one that starts with a dash would be read as an option.
                [*self.command, *(str(folder / path) for path in paths)],
                directory=Path(folder.anchor),
                environment=_environment(),
                bounds=Bounds(_SECONDS, _BYTES, keeps_output=False),
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def _environment() -> dict[str, str]:
    """Return the user's environment, without modules that may be the project's own."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return environment | {"PYTHONSAFEPATH": "1"}


class Declared(Struct, frozen=True):
    """A formatter that a project declares, where (a file's table or hook), and its command.

    ``executable`` is empty where the command is not on the PATH outside of the project.
    """

    name: str
    origin: str
    executable: str


class Formatting(Struct, frozen=True):
    """The project's settings for its formatting.

    ``declared`` are its formatters, the preferred one first; ``line_length`` is in characters.
    """

    declared: tuple[Declared, ...]
    line_length: int
    line_length_origin: str

    @property
    def is_length_assumed(self) -> bool:
        """Whether the project declares no length, and no formatter with a default."""
        return self.line_length_origin == _NOTHING

    @property
    def first_executable(self) -> Declared | None:
        """The formatter that is used: the first whose command is there."""
        return next((declaration for declaration in self.declared if declaration.executable), None)


_ARGUMENTS = {"black": ("--quiet",), "ruff": ("format", "--quiet", "--no-cache")}


def detect(root: Path) -> Formatter:
    """Return how the project at ``root`` is formatted.

    A formatter counts only if the project declares it (``[tool.ruff]``, ``ruff.toml``,
    ``[tool.black]``, a pre-commit hook) and its command is on the PATH, but not in the project:
    what that brings along is never run, also if its environment is active. Settings that cannot
    be read declare nothing.
    """
    result = formatting(root)
    chosen = result.first_executable
    if chosen is None:
        return Formatter(result.line_length, is_length_assumed=result.is_length_assumed)
    return Formatter(result.line_length, (chosen.executable, *_ARGUMENTS[chosen.name]), root)


def formatting(root: Path) -> Formatting:
    """Return what the project at ``root`` says of its formatting, and what of it is usable."""
    tools = tables_in(text_at(root / "pyproject.toml")).get("tool")
    tools = tools if isinstance(tools, dict) else {}
    black = _Table("[tool.black] in pyproject.toml", tools.get("black"))
    ruff = _Table("[tool.ruff] in pyproject.toml", tools.get("ruff"))
    for name in _RUFF_FILES:
        if (text := text_at(root / name)) is not None:
            ruff = _Table(name, tables_in(text))
            break
    hooks = set(_HOOK.findall(text_at(root / _HOOKS) or ""))
    declared: list[Declared] = []
    for name, table, hook in (("black", black, "black"), ("ruff", ruff, "ruff-format")):
        origin = table.origin if table.value is not None else f"hook {hook} in {_HOOKS}"
        if table.value is not None or hook in hooks:
            declared.append(Declared(name, origin, find_program(name, root) or ""))
    length, origin = _line_length(root, ruff, black, declared)
    return Formatting(tuple(declared), length, origin)


class _Table(Struct, frozen=True):
    """The settings of one tool, None where there are none, and their place."""

    origin: str
    value: Any


_HOOK = re.compile(r"^[ \t]*+(?:-[ \t]*+)?+id:[ \t]*+['\"]?+([\w-]++)", re.MULTILINE)


def _line_length(
    root: Path, ruff: _Table, black: _Table, declared: Sequence[Declared]
) -> tuple[int, str]:
    for table in (black, ruff):
        length = table.value.get("line-length") if isinstance(table.value, dict) else None
        if isinstance(length, int) and length in _LENGTHS:
            return int(length), table.origin
    if declared:
        return _BLACK_DEFAULT, f"{declared[0].name}'s default"
    return next(_linter_lengths(root), (_BLACK_DEFAULT, _NOTHING))


_DIGITS = re.compile("[0-9]{1,4}")  # str.isdigit takes ², which int does not


def _linter_lengths(root: Path) -> Iterator[tuple[int, str]]:
    """Yield the lengths that flake8 and pycodestyle are configured with, or their default."""
    for name in ("setup.cfg", "tox.ini", ".flake8"):
        try:
            settings = parse_ini(text_at(root / name) or "")
        except NotIni:
            continue
        for section in ("flake8", "pycodestyle"):
            if section in settings:
                written = settings[section]
                length = written.get("max-line-length", written.get("max_line_length", "")).strip()
                if _DIGITS.fullmatch(length) and int(length) in _LENGTHS:
                    yield int(length), f"[{section}] in {name}"
                else:
                    yield _PEP8, f"{section}'s default; {name} has [{section}]"


class _UnusableSettings(Exception):
    """Settings that a formatter must not read: they lead to what is no file of the project."""


def _extended_files(
    enclosure: Enclosure, settings: Path, content: bytes
) -> Iterator[tuple[Path, bytes]]:
    """Yield the files that the settings at ``settings`` extend, one after the other.

    Raises UnusableSettings for a path that is not relative, a file that cannot be read inside the
    project, settings that cannot be parsed, and a cycle.
    """
    seen = {settings}
    while (named := _extend(settings, content)) is not None:
        # Ruff puts the home directory and variables of the environment there.
        if os.path.isabs(named) or named.startswith("~") or "$" in named:  # noqa: PTH117  text
            raise _UnusableSettings(f"{settings} extends {named}, which is not a relative path")
        settings = Path(os.path.normpath(settings.parent / named))
        if settings in seen:
            raise _UnusableSettings(f"{settings} extends itself")
        seen.add(settings)
        try:
            content = enclosure.read(settings, METADATA_LIMIT)
        except OSError as error:
            raise _UnusableSettings(f"{settings} cannot be read in the project") from error
        yield settings, content


def _extend(settings: Path, content: bytes) -> str | None:
    """Return what settings extend, as written; None if they extend nothing."""
    try:
        table = parse_toml(content.decode())
    except (NotToml, UnicodeDecodeError) as error:
        raise _UnusableSettings(f"{settings} is not TOML") from error
    own = ("tool", "ruff") if settings.name == _MANIFEST else ()
    named = value_at(table, (*own, "extend"))
    if named is not None and not isinstance(named, str):
        raise _UnusableSettings(f"{settings} extends a value that is not a path")
    return named

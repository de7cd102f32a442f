"""The texts of settings files as they are edited: whole, with line feeds, and turned back."""

from __future__ import annotations

from os.path import commonprefix
from typing import Any

from msgspec import Struct

from awaken.contract import Problem
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.engine.report import LeftToDo
from awaken.workspace.formats.toml_text import NotToml, parse_toml
from awaken.workspace.sources import LINE_END, SourceFile

LARGEST = 100_000
"""Characters of a settings file that is edited; the largest of 20 programs has 22,191. What tomlkit
and ConfigUpdater take grows with the square of the keys: up to eight seconds at this size."""


class EditedFiles(Struct, frozen=True):
    """The changed files with the way back, what is left to do, and what is wrong with the edits."""

    files: dict[str, tuple[SourceFile, SpanMap]]
    left: tuple[LeftToDo, ...] = ()
    problems: tuple[Problem, ...] = ()


class CannotAdd(Exception):
    """A settings file is written in a way that awaken does not edit; ``str()`` says why.

    ``line`` is the 1-based line that it is about, 0 for the whole file; ``path`` is set by who
    knows it.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.path = ""


def editable_text(source: SourceFile) -> str:
    """Return the text of a settings file, each line ended by a line feed. Raises CannotAdd."""
    text = source.text.decode()
    if len(text) > LARGEST:
        raise CannotAdd(f"it has more than {LARGEST:,} characters")
    return text.replace(_line_end(text), "\n")


def with_text(source: SourceFile, text: str) -> tuple[SourceFile, SpanMap]:
    """Return the file with ``text``, its own line ends in it, and the way back to what it was."""
    written = text.replace("\n", _line_end(source.text.decode()))
    new, moved = splice(source.text, difference(source.text, written.encode()))
    return source.with_text(new), moved


def toml_tables(text: str) -> dict[str, Any]:
    """Return what the ``text`` of a TOML file says. Raises CannotAdd."""
    try:
        return parse_toml(text)
    except NotToml as error:
        raise CannotAdd(f"it is not valid TOML: {error}", error.line) from error


def difference(old: bytes, new: bytes) -> list[Splice]:
    """Return the one replacement that turns ``old`` into ``new``."""
    if old == new:
        return []
    start = len(commonprefix((old, new)))  # noqa: RUF071  bytes, no paths
    end = len(commonprefix((old[start:][::-1], new[start:][::-1])))  # noqa: RUF071  the same
    return [Splice(start, len(old) - end, new[start : len(new) - end])]


def _line_end(text: str) -> str:
    """Return how every line of ``text`` ends; a line feed where they do not all end alike."""
    ends = set(LINE_END.findall(text))
    return ends.pop() if len(ends) == 1 else "\n"

"""Answers about files whose comments changed: their places move, and nothing else changes.

awaken plans again if a changed comment is next to a site or an edit, or for tools. It also does if
a text of the answer names a line of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from awaken.contract import Finding, Place, Span
from awaken.editing.pragmas import is_for_tools
from awaken.engine.remembering.evidence import MovedFile
from awaken.engine.remembering.known_texts import Changed
from awaken.engine.report import FileChange, Remembered
from awaken.workspace.sources import is_python
from awaken.workspace.suppressions import MARK

_PARTS = (
    "findings",
    "changes",
    "pending",
    "suppressed",
    "diagnostics",
    "left_to_do",
    "outlines",
    "edited",
    "edits_left_out",
    "explained_only",
)
_NO_TEXT = {"path", "paths", "site", "sites", "id", "change", "changes", "requires", "rule"}
"""Fields with identities and paths."""
_PLAIN_PATH = re.compile(r"[\w./-]+")
_NAMES_LINE = re.compile(r"\blines? \d|:\d")
_SHORT_LINE = 88
"""Lines up to this length decide nothing: ``awaken.engine.edits.style`` may go by longer ones."""
_MARKS = (MARK, b"\r")
"""Texts with which a file is planned again: what suppresses sites, and line ends of old systems."""
_IMPORT = re.compile(rb"(?:import|from)\s|if\b.*\bTYPE_CHECKING\b")


def moved_answer(answer: Remembered, moved: Mapping[str, MovedFile]) -> Remembered | None:
    """Return ``answer`` for files of which the lines moved; None if it may be another one."""
    try:
        for path, file in moved.items():
            answer = _Mover(path, file, answer).answer()
    except Changed:
        return None
    return answer


class _Mover:
    """Moves the places of one file."""

    def __init__(self, path: str, file: MovedFile, answer: Remembered) -> None:
        self._path, self._source, self._lines = path, file.source, file.lines
        self._before = answer

    def answer(self) -> Remembered:
        """Return the answer with its places. Raises Changed."""
        path, answer = self._path, self._before
        if not (is_python(path) and _PLAIN_PATH.fullmatch(path)):
            raise Changed
        self._require_mere_comments()
        if any(path in change.paths for change in (*answer.changes, *answer.pending)):
            self._require_same_imports()
        sources = dict(answer.sources)
        # A file that is only edited has no source here.
        if path in sources:
            sources[path] = self._source
        files = tuple(self._file(change) for change in answer.files)
        parts = {name: self._items(getattr(answer, name)) for name in _PARTS}
        return structs.replace(answer, sources=sources, files=files, **parts)

    def _require_mere_comments(self) -> None:
        before, after = self._lines.before, self._lines.after
        # With the same text, the bytes on disk have another encoding.
        if before == after or any(mark in text for text in (before, after) for mark in _MARKS):
            raise Changed
        if _head(before) != _head(after) or any(
            len(line) > _SHORT_LINE or is_for_tools(line.decode())
            for line in self._lines.changed_lines()
        ):
            raise Changed

    def _require_same_imports(self) -> None:
        """Raise Changed for a comment above the first statement after the imports."""
        statements = [*self._lines.statements()]
        imports = [rank for rank, (_, text) in enumerate(statements) if _IMPORT.match(text)]
        after = imports[-1] + 1 if imports else 1
        if after >= len(statements) or self._lines.first_difference() <= statements[after][0]:
            raise Changed

    def _file(self, change: FileChange) -> FileChange:
        change = structs.replace(change, findings=self._items(change.findings))
        if change.path != self._path:
            return change
        after = self._source.with_text(self._lines.with_edits(change.after.text))
        return structs.replace(change, before=self._source, after=after)

    def _items(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        # Most items say nothing of the file.
        return tuple(self._item(item) if self._path in repr(item) else item for item in items)

    def _item(self, value: Any) -> Any:
        match value:
            case str():
                if self._path in value or _NAMES_LINE.search(value):
                    raise Changed
                return value
            case tuple():
                return tuple(map(self._item, value))
            case Place() if value.path == self._path:
                return structs.replace(value, span=self._span(value.span))
            case Struct():
                if isinstance(value, Finding) and value.change is None:
                    self._require_same_function(value.place)
                return structs.replace(value, **dict(self._fields(value)))
            case _:
                return value

    def _require_same_function(self, place: Place) -> None:
        # Comments in other statements may be why a site is manual.
        if place.path == self._path and place.span.end:
            self._lines.require_same_function(place.span.start)

    def _fields(self, value: Struct) -> Iterator[tuple[str, Any]]:
        for name in value.__struct_fields__:
            field = getattr(value, name)
            if name == "line" and getattr(value, "path", "") == self._path:
                yield name, self._line(field)
            elif name not in _NO_TEXT:
                yield name, self._item(field)

    def _line(self, number: int) -> int:
        """Return the 1-based number of a line now; 0 is the whole file."""
        if not number:
            return 0
        self._lines.require_same(number - 1, number - 1)
        return self._lines.line(number - 1) + 1

    def _span(self, span: Span) -> Span:
        return self._lines.span(span) if span.end else span


def _head(text: bytes) -> list[bytes]:
    """Return the lines that may name the encoding."""
    return text.split(b"\n", 2)[:2]

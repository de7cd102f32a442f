"""Moves the lines that are aligned below an argument, where an edit has moved that argument."""

from __future__ import annotations

import tokenize
from collections.abc import Iterator, Sequence

from msgspec import Struct

from awaken.contract import Span
from awaken.editing.line_breaks import CLOSING, OPENING
from awaken.engine.edits.splices import SpanMap, Splice, splice
from awaken.engine.edits.style import line_end, line_start
from awaken.engine.formatting.long_lines import (
    changed_lines,
    is_same,
    row_of,
    starts_of_statements,
    tokens_from,
)
from awaken.project.source.modules import Module
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import LINE_END_BYTES

_LINE_ENDS = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})


def with_aligned_lines(before: Module, after: Module, moved: SpanMap) -> tuple[Module, SpanMap]:
    """Return ``after`` with its lines aligned as in ``before``, and the map back to that.

    Where the first argument of a call has moved, the lines below it, or further right, move as far.
    ``moved`` leads from ``after`` to ``before``. Lines that are written new stay.
    """
    numbers = [row_of(after, line.start) for line in changed_lines(after, moved)]
    alignment = _Alignment(before, after, moved)
    starts = starts_of_statements(after, numbers)
    last = {start: number for number, start in sorted(starts.items())}
    splices = {item.start: item for start in last for item in alignment.splices(start, last[start])}
    if not splices:
        return after, moved
    text, map_back = splice(after.source.text, splices.values())
    # Alignment is a courtesy: whatever goes wrong with it leaves the lines where they are.
    try:
        aligned = Module(after.source.with_text(text), parse_text(text), after.name)
    except Unparsable:
        return after, moved
    if not is_same(after, aligned, map_back, list(splices.values())):
        return after, moved
    return aligned, moved.then(map_back)


class _Anchor(Struct):
    """The code that lines in a bracket follow if they begin at ``column`` or further right.

    It is the first argument, or the line of the bracket if the first argument is on another one.
    """

    column: int
    moved_by: int


class _Alignment:
    """The lines of a file, one statement after the other."""

    def __init__(self, before: Module, after: Module, moved: SpanMap) -> None:
        self._module = after
        self._before = before.source.text
        self._after = after.source.text
        self._moved = moved
        self._edits = {
            region.start
            for region in moved.new_regions()
            if not LINE_END_BYTES.search(self._after, region.start, region.end)
        }
        self._line_starts = [0]

    def splices(self, start: int, last: int) -> Iterator[Splice]:
        """Yield what moves lines, from the byte ``start`` to the end of the line ``last``.

        A statement starts there, and the line continues as far as brackets do.
        """
        self._line_starts = [start]
        last -= row_of(self._module, start)
        anchors: list[_Anchor | None] = []
        line: _Anchor | None = None
        shift = end = opened = 0
        for token in tokens_from(self._after, start):
            row, column = token.start
            if token.type == tokenize.NEWLINE and row > last:
                return
            if token.type in _LINE_ENDS:
                continue
            if row > end:
                shift = self._shift(token, anchors)
                line = self._anchor(token, shift)
                if shift:
                    place = self._place(row, token.line[:column])
                    indent = " " * (column + shift)
                    yield Splice(place - column, place, indent.encode())
            elif row == opened and token.type != tokenize.COMMENT:
                anchors[-1] = self._anchor(token, shift)
            # The code after a string of several lines stays where it is.
            shift = shift if token.end[0] == row else 0
            end, opened = token.end[0], 0
            if token.type == tokenize.OP and token.string in OPENING:
                anchors.append(line and _Anchor(0, line.moved_by))
                opened = row
            elif token.type == tokenize.OP and token.string in CLOSING and anchors:
                anchors.pop()

    def _shift(self, token: tokenize.TokenInfo, anchors: Sequence[_Anchor | None]) -> int:
        """Return how far the line moves that begins with ``token``."""
        old = self._text_before(token)
        if old is None or old.strip(" "):
            return 0
        # A closing bracket may be below the opening one.
        right = len(old) + (token.string in CLOSING)
        for anchor in reversed(anchors):
            if anchor is not None and right >= anchor.column:
                return max(len(old) + anchor.moved_by, 0) - token.start[1]
        return 0

    def _anchor(self, token: tokenize.TokenInfo, shift: int) -> _Anchor | None:
        old = self._text_before(token)
        return None if old is None else _Anchor(len(old), token.start[1] + shift - len(old))

    def _text_before(self, token: tokenize.TokenInfo) -> str | None:
        """Return what was before ``token`` on its line; None if it is in the middle of an edit."""
        row, column = token.start
        place = self._place(row, token.line[:column])
        text = token.string.encode()
        old = self._moved.to_before(Span(place, place + len(text)))
        if self._before[old.start : old.end] != text and place not in self._edits:
            return None
        return self._before[line_start(self._before, old.start) : old.start].decode()

    def _place(self, row: int, line: str) -> int:
        """Return the byte after ``line``, the beginning of the line ``row`` of the statement."""
        while len(self._line_starts) < row:
            self._line_starts.append(line_end(self._after, self._line_starts[-1]))
        return self._line_starts[row - 1] + len(line.encode())

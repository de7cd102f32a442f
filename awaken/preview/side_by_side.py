"""The diff in two columns: the text before on the left, after on the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.text import Text

from awaken.preview.code import fold
from awaken.preview.emphasis import Pairs
from awaken.preview.layouts import NO_NEWLINE, Line
from awaken.preview.page import Page

NARROWEST = 80
"""Below this many cells the columns are too narrow for code."""

_HANG = 2
_DEEPEST = 4
"""A folded row is indented by at most a quarter of its column."""


class SideBySide:
    """Prints lines on ``page`` in two columns that share ``width`` cells."""

    def __init__(self, page: Page, digits: int, width: int) -> None:
        self._page = page
        self._digits = digits
        self._bar = page.glyph("│", "|")
        self._column = (width - 3) // 2
        self._room = self._column - digits - 3

    def same(self, old: Line, new: Line) -> None:
        """Print a line that is the same before and after, once on each side."""
        self._rows(old, new)

    def changed(self, old: Sequence[Line], new: Sequence[Line], pairs: Pairs) -> None:
        """Print the lines ``old`` beside those of ``new``, pairs on the same row."""
        for left, right in _beside(old, new, pairs):
            self._rows(left, right)

    def blank(self) -> Text:
        """Return what stands before a row that is no line of either text."""
        return Text(" " * (self._digits + 3))

    def indent(self) -> int:
        """Return how many cells the number of a line takes."""
        return self._digits + 1

    def _rows(self, old: Line | None, new: Line | None) -> None:
        bar = Text(f" {self._bar} ", "faint")
        for left, right in zip_longest(self._cells(old), self._cells(new), fillvalue=Text()):
            padding = " " * (self._column - left.cell_len)
            row = Text.assemble(left, padding, bar, right)
            row.rstrip()
            self._page.row(row)

    def _cells(self, line: Line | None) -> Iterator[Text]:
        """Yield the rows of one line within its column."""
        if line is None:
            return
        gutter = Text(f"{line.number:>{self._digits}} {line.sign} ", line.style)
        indent = len(line.code.plain) - len(line.code.plain.lstrip(" "))
        hang = min(indent + _HANG, self._room // _DEEPEST)
        sign = " " if line.sign == " " else self._page.continued
        continued = Text(f"{'':>{self._digits}} {sign} ", line.style) + Text(" " * hang)
        for row in fold(line.code, self._room, self._room - hang):
            yield gutter + row
            gutter = continued
        if not line.ended:
            yield self.blank() + Text(NO_NEWLINE, "faint")


def _beside(
    old: Sequence[Line], new: Sequence[Line], pairs: Pairs
) -> Iterator[tuple[Line | None, Line | None]]:
    """Yield what stands on one row; lines without a partner stand between the pairs."""
    left = right = 0
    for next_left, next_right in [*pairs, (len(old), len(new))]:
        yield from zip_longest(old[left:next_left], new[right:next_right])
        if next_left < len(old):
            yield old[next_left], new[next_right]
        left, right = next_left + 1, next_right + 1

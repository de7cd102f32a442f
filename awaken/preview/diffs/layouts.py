"""The layouts of a diff's lines on a page: in one column, or in two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, zip_longest
from typing import Protocol

from msgspec import Struct

from awaken.preview.console.code import fold
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.diffs.emphasis import Pairs

NO_NEWLINE = "no newline at the end of the file"


class Line(Struct, frozen=True):
    """One line of the text before or after, ready to print; ``number`` is from 1.

    ``sign`` and ``style`` say what became of it; ``ended`` is whether a line end follows.
    """

    number: int
    code: Text
    sign: str = " "
    style: str = "faint"
    ended: bool = True


class Layout(Protocol):
    """How lines are put on the page: in one column or in two."""

    def same(self, old: Line, new: Line) -> None:
        """Print a line that is the same before and after."""

    def print_changed(self, old: Sequence[Line], new: Sequence[Line], pairs: Pairs) -> None:
        """Print the lines ``old``, which became ``new``; ``pairs`` (of indices) belong together."""

    def blank(self) -> Text:
        """Return the start of a row that is no line of either text."""

    def indent(self) -> int:
        """Return how many cells the number of a line takes."""


class Unified:
    """Prints removed lines above added ones, with their numbers in two columns of ``digits``."""

    def __init__(self, page: Page, digits: int) -> None:
        self._page = page
        self._digits = digits
        self._bar = page.glyph("│", "|")

    def same(self, old: Line, new: Line) -> None:
        """Print a line that is the same before and after."""
        gutter = self._gutter(f"{old.number}", f"{new.number}", " ", "faint")
        self._page.code(gutter, old.code, self.blank())

    def print_changed(self, old: Sequence[Line], new: Sequence[Line], pairs: Pairs) -> None:  # noqa: ARG002  the lines stand below each other, whatever belongs together
        """Print the lines ``old``, then the lines ``new``."""
        # All that goes before all that comes, as in a patch: pairs are marked by colour alone.
        for line in old:
            self._line(line, f"{line.number}", "")
        for line in new:
            self._line(line, "", f"{line.number}")

    def blank(self) -> Text:
        """Return the start of a row that is no line of either text."""
        return self._gutter("", "", " ", "faint")

    def indent(self) -> int:
        """Return how many cells the numbers of a line take."""
        return self._digits * 2 + 3

    def _line(self, line: Line, old: str, new: str) -> None:
        continued = self._gutter("", "", self._page.continuation_sign, line.style)
        self._page.code(self._gutter(old, new, line.sign, line.style), line.code, continued)
        if not line.ended:
            self._page.row(self._gutter("", "", " ", line.style), (NO_NEWLINE, "faint"))

    def _gutter(self, old: str, new: str, sign: str, style: str) -> Text:
        numbers = f"{old:>{self._digits}} {new:>{self._digits}} "
        return Text.assemble((f"{numbers}{self._bar}{sign} ", style))


NARROWEST = 80
"""Below this many cells the columns are too narrow for code. A choice: two of 33."""

_HANG = 2
"""Cells by which a folded row is indented further: less than on a whole page, for room is short."""
_SHARE = 2
"""A folded row is indented by at most half of its column."""


class SideBySide:
    """Prints lines on ``page`` in two columns that share ``width`` cells."""

    def __init__(self, page: Page, digits: int, width: int) -> None:
        self._page = page
        self._digits = digits
        self._bar = page.glyph("│", "|")
        # The bar and a blank on each side take three cells.
        self._column = (width - 3) // 2
        # Two blanks and the sign are next to the number.
        self._room = self._column - digits - 3

    def same(self, old: Line, new: Line) -> None:
        """Print a line that is the same before and after, once on each side."""
        self._rows([old], [new])

    def print_changed(self, old: Sequence[Line], new: Sequence[Line], pairs: Pairs) -> None:
        """Print the lines ``old`` next to those of ``new``; pairs start on the same row."""
        starts = [(0, 0), *pairs, (len(old), len(new))]
        for (left, right), (next_left, next_right) in pairwise(starts):
            self._rows(old[left:next_left], new[right:next_right])

    def blank(self) -> Text:
        """Return the start of a row that is no line of either text."""
        return Text(" " * (self._digits + 3))

    def indent(self) -> int:
        """Return how many cells the number of a line takes."""
        return self._digits + 1

    def _rows(self, old: Sequence[Line], new: Sequence[Line]) -> None:
        bar = Text(f" {self._bar} ", "faint")
        lefts, rights = (chain.from_iterable(map(self._cells, side)) for side in (old, new))
        for left, right in zip_longest(lefts, rights, fillvalue=Text()):
            padding = " " * (self._column - left.cell_len)
            row = Text.assemble(left, padding, bar, right)
            # Blanks at the end of a row would come along with what users copy.
            row.rstrip()
            self._page.row(row)

    def _cells(self, line: Line) -> Iterator[Text]:
        """Yield the rows of one line within its column."""
        gutter = Text.assemble((f"{line.number:>{self._digits}} {line.sign} ", line.style))
        indent = len(line.code.plain) - len(line.code.plain.lstrip(" "))
        hang = min(indent + _HANG, self._room // _SHARE)
        sign = " " if line.sign == " " else self._page.continuation_sign
        continued = Text.assemble((f"{'':>{self._digits}} {sign} ", line.style), " " * hang)
        for row in fold(line.code, self._room, self._room - hang):
            yield gutter + row
            gutter = continued
        if not line.ended:
            yield self.blank() + Text(NO_NEWLINE, "faint")

"""The layout of a diff's lines on a page, and the usual one: in one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

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

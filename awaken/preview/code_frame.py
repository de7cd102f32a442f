"""Lines of a file as they stand, with a place in them underlined or marked at the edge."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from awaken.preview.code import Highlighted, underline
from awaken.preview.page import Page
from awaken.preview.source_lines import Region, SourceLines

_AROUND = 1
"""Lines of context before and after the place."""
_MOST_LINES = 8
"""Of a longer span the first lines and the last one are shown."""


class CodeFrames:
    """Prints frames of one file on ``page``; ``regions`` are all that will be asked for."""

    def __init__(
        self, page: Page, path: str, lines: SourceLines, regions: Iterable[Region]
    ) -> None:
        self._page = page
        self._lines = lines
        shown = [range(max(one.line - 1 - _AROUND, 0), one.end_line + _AROUND) for one in regions]
        self._code = Highlighted(path, lines.lines, shown)

    def print(self, region: Region, digits: int, style: str) -> None:
        """Print the lines of ``region`` and those beside it, their numbers ``digits`` wide."""
        first = max(region.line - _AROUND, 1)
        last = min(region.end_line + _AROUND, len(self._lines.lines))
        hidden = range(region.line + _MOST_LINES // 2, region.end_line)
        if region.end_line - region.line < _MOST_LINES:
            hidden = range(0)
        for number in range(first, last + 1):
            inside = region.line <= number <= region.end_line
            if not inside and not self._lines.lines[number - 1].strip():
                continue
            if number not in hidden:
                self._line(number, region, digits, style)
            elif number == hidden.start:
                dots = self._page.glyph("⋯", "...").rjust(digits)
                self._page.row((f"{dots} {len(hidden)} more lines", "faint"))

    def _line(self, number: int, region: Region, digits: int, style: str) -> None:
        bar = self._page.glyph("│", "|")
        several = region.end_line > region.line
        inside = region.line <= number <= region.end_line
        edge = ("┃ " if inside else "  ") if several else ""
        gutter = Text.assemble((f"{number:>{digits}} {bar} ", "faint"), (edge, style))
        blank = Text.assemble((f"{'':>{digits}} {bar} ", "faint"), (edge, style))
        under = ""
        if inside and not several:
            line = self._lines.lines[number - 1]
            under = underline(line, region.column - 1, region.end_column - 1)
        self._page.code(gutter, self._code.text(number - 1), blank, Text(under, style))

"""Lines of a file, with a place in them underlined or marked at the edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from awaken.preview.console.code import underline
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.diffs.source_lines import Region, SourceLines

_AROUND = 1
"""Lines of context before and after the place. A choice: enough to find it again."""
_ROWS = 8
"""Of a longer span the first lines and the last one are shown. A choice: two
findings then fit on a screen of 24 rows."""


class Rewritten(Struct, frozen=True):
    """The lines ``old`` of a file (indices from 0) in their new form, ready to print."""

    old: range
    text: tuple[Text, ...]


class CodeFrames:
    """Prints frames of one file on ``page``; ``regions`` are all that will be asked for."""

    def __init__(
        self, page: Page, path: str, lines: SourceLines, regions: Iterable[Region]
    ) -> None:
        self._page = page
        self._lines = lines
        shown = [range(max(one.line - 1 - _AROUND, 0), one.last_line + _AROUND) for one in regions]
        # Pygments is slow, so it reads only the lines that will be shown.
        self._code = page.highlight(path, lines.lines, shown)

    def print(
        self, region: Region, digits: int, style: str, rewritten: Rewritten | None = None
    ) -> None:
        """Print the lines of ``region`` and those next to it, their numbers ``digits`` wide.

        The text of ``rewritten`` comes right below the lines that it replaces.
        """
        replaced = rewritten.old if rewritten else range(region.line - 1, region.last_line)
        first = max(min(region.line - 1, replaced.start) - _AROUND, 0) + 1
        last = min(max(region.last_line, replaced.stop) + _AROUND, len(self._lines.lines))
        hidden = _hidden_lines(range(region.line, region.last_line + 1))
        for number in range(first, last + 1):
            inside = region.line <= number <= region.last_line
            around = first == number < replaced.start + 1 or number > replaced.stop
            # An empty line of context only takes room.
            if not around or inside or self._lines.lines[number - 1].strip():
                if number not in hidden:
                    self._line(number, region, digits, style)
                elif number == hidden.start:
                    self._dots(digits, hidden)
            if rewritten and number == replaced.stop:
                self._print_added(rewritten.text, digits, several=region.last_line > region.line)

    def _print_added(self, lines: Sequence[Text], digits: int, *, several: bool) -> None:
        bar = self._page.glyph("│", "|") + ("   " if several else " ")
        hidden = _hidden_lines(range(len(lines)))
        for index, line in enumerate(lines):
            if index not in hidden:
                gutter = Text.assemble((f"{'+':>{digits}} {bar}", "added"))
                blank = Text.assemble((f"{self._page.continuation_sign:>{digits}} {bar}", "added"))
                self._page.code(gutter, line, blank)
            elif index == hidden.start:
                self._dots(digits, hidden)

    def _dots(self, digits: int, hidden: range) -> None:
        dots = self._page.glyph("⋯", "...").rjust(digits)
        self._page.row((f"{dots} {len(hidden)} more lines", "faint"))

    def _line(self, number: int, region: Region, digits: int, style: str) -> None:
        bar = self._page.glyph("│", "|")
        several = region.last_line > region.line
        inside = region.line <= number <= region.last_line
        edge = ("┃ " if inside else "  ") if several else ""
        gutter = Text.assemble((f"{number:>{digits}} {bar} ", "faint"), (edge, style))
        blank = Text.assemble((f"{'':>{digits}} {bar} ", "faint"), (edge, style))
        under = ""
        if inside and not several:
            line = self._lines.lines[number - 1]
            whole = region.end_line > number  # up to the end of the line, and that as well
            stop = len(line) if whole else region.end_column - 1
            under = underline(line, region.column - 1, stop)
        self._page.code(gutter, self._code.text(number - 1), blank, Text(under, style))


def _hidden_lines(lines: range) -> range:
    """Return which of ``lines`` are not shown because they are too many."""
    if len(lines) <= _ROWS:
        return range(0)
    # The last line shows where the span ends.
    return range(lines.start + _ROWS // 2, lines.stop - 1)

"""Findings as a linter shows them: a frame of code, the place underlined, reason and cure."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from awaken.contract import Finding, Place
from awaken.engine.report import Report, RootReport
from awaken.preview.code import Highlighted, underline
from awaken.preview.page import Page, joined
from awaken.preview.paths import relative
from awaken.preview.source_lines import Region, SourceLines

_AROUND = 1
"""Lines of context before and after the place."""
_MOST_LINES = 8
"""Of a longer span the first lines and the last one are shown."""


def print_findings(report: Report, console: Console, current: Path) -> None:
    """Print one frame per finding of ``report``, paths relative to ``current``."""
    page = Page(console)
    for root in report.roots:
        _Frames(page, root, current).print()


class _Frames:
    """The frames of one root; keeps the file that it is in, as findings come sorted."""

    def __init__(self, page: Page, root: RootReport, current: Path) -> None:
        self._page = page
        self._root = root
        self._current = current
        self._path = ""

    def print(self) -> None:
        for finding in self._root.findings:
            if finding.place.path != self._path:
                self._open(finding.place.path)
            self._finding(finding)

    def _open(self, path: str) -> None:
        self._path = path
        self._lines = SourceLines(self._root.sources[path].text)
        regions = [
            self._lines.region(finding.place.span)
            for finding in self._root.findings
            if finding.place.path == path
        ]
        shown = [range(max(one.line - 1 - _AROUND, 0), one.end_line + _AROUND) for one in regions]
        self._code = Highlighted(path, self._lines.lines, shown)

    def _finding(self, finding: Finding) -> None:
        level = finding.level.value
        page, region = self._page, self._lines.region(finding.place.span)
        digits = len(str(region.end_line + 1))
        head = joined([(finding.rule, "code.name"), " ", (level, level), ": "])
        page.hanging(head, finding.message, "path")
        page.row(" " * digits, ("--> ", "faint"), self._where(finding.place, region))
        self._frame(region, digits, level)
        self._say(digits, "reason", finding.reason or "")
        self._say(digits, "what to do", finding.cure)
        for place in finding.chain:
            self._say(digits, "because", f"{self._elsewhere(place)} {place.note}".rstrip())
        page.row()

    def _frame(self, region: Region, digits: int, level: str) -> None:
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
                self._line(number, region, digits, level)
            elif number == hidden.start:
                dots = self._page.glyph("⋯", "...").rjust(digits)
                self._page.row((f"{dots} {len(hidden)} more lines", "faint"))

    def _line(self, number: int, region: Region, digits: int, level: str) -> None:
        bar = self._page.glyph("│", "|")
        several = region.end_line > region.line
        inside = region.line <= number <= region.end_line
        edge = ("┃ " if inside else "  ") if several else ""
        gutter = Text.assemble((f"{number:>{digits}} {bar} ", "faint"), (edge, level))
        blank = Text.assemble((f"{'':>{digits}} {bar} ", "faint"), (edge, level))
        under = ""
        if inside and not several:
            line = self._lines.lines[number - 1]
            under = underline(line, region.column - 1, region.end_column - 1)
        self._page.code(gutter, self._code.text(number - 1), blank, Text(under, level))

    def _say(self, digits: int, label: str, text: str) -> None:
        if text:
            head = joined([" " * (digits + 1), ("= ", "faint"), (f"{label}: ", "faint")])
            self._page.hanging(head, text)

    def _where(self, place: Place, region: Region) -> str:
        path = relative(self._root.root, place.path, self._current)
        return f"{path}:{region.line}:{region.column}"

    def _elsewhere(self, place: Place) -> str:
        source = self._root.sources.get(place.path)
        if source is None:
            return relative(self._root.root, place.path, self._current)
        return self._where(place, SourceLines(source.text).region(place.span))

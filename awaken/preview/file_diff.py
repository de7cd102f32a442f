"""The hunks of one file on a terminal: line numbers, syntax, changed words, marked sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct
from rich.text import Text

from awaken.contract import Finding, Level
from awaken.preview.code import Highlighted, Marks, code_text
from awaken.preview.emphasis import emphasis
from awaken.preview.hunks import Block, Hunk, hunks
from awaken.preview.page import Page
from awaken.preview.sections import Section
from awaken.preview.source_lines import Region, SourceLines

_NOTHING = Block(equal=True, start=0, stop=0, new_start=0, new_stop=0)


class _Side(Struct, frozen=True):
    """The text before or after: its lines as they are shown, and how they end."""

    sign: str
    style: str
    ends: list[str]
    shown: Highlighted


class FileDiff:
    """Prints the diff of one section on ``page``; the section must hold a change."""

    def __init__(self, page: Page, section: Section) -> None:
        self._page = page
        change = section.change
        assert change is not None  # noqa: S101  said above
        old = SourceLines(change.before.text if change.before else b"")
        new = SourceLines(change.after.text)
        self._hunks = hunks(old.whole, new.whole)
        last = self._hunks[-1][-1] if self._hunks else _NOTHING
        olds = [range(hunk[0].start, hunk[-1].stop) for hunk in self._hunks]
        news = [range(hunk[0].new_start, hunk[-1].new_stop) for hunk in self._hunks]
        self._old = _side("-", "removed", section.path, old, olds)
        self._new = _side("+", "added", section.path, new, news)
        self._digits = max(len(str(last.stop)), len(str(last.new_stop)), 2)
        self._bar = page.glyph("│", "|")
        self._marked = _by_last_line(section, old)
        self._scopes = [(old.region(found.place.span), found.scope) for found in section.findings]
        self._admitted = section.admitted

    def print(self) -> None:
        """Print every hunk, each under the name of the function that it changes."""
        for number, hunk in enumerate(self._hunks):
            self._separator(hunk, first=number == 0)
            for block in hunk:
                if block.equal:
                    self._context(block)
                else:
                    self._replaced(block)

    def _separator(self, hunk: Hunk, *, first: bool) -> None:
        start, stop = hunk[0].stop + 1, hunk[-1].start
        scopes = [
            scope
            for region, scope in self._scopes
            if region.line <= max(stop, start) and region.end_line >= start
        ]
        named = f" in {scopes[0]}" if scopes and scopes[0] != "<module>" else ""
        if named or not first:
            dots = self._page.glyph("⋯", "...").rjust(self._digits * 2 + 3)
            self._page.row((dots + named, "faint"))

    def _context(self, block: Block) -> None:
        for index in range(block.start, block.stop):
            number = index + 1
            gutter = self._gutter(number, block.new_start + number - block.start, " ", "faint")
            self._code(gutter, self._old.shown.text(index), "faint")
            self._notes([number])

    def _replaced(self, block: Block) -> None:
        old, new = range(block.start, block.stop), range(block.new_start, block.new_stop)
        old_words, new_words = emphasis(
            [self._old.shown.lines[index] for index in old],
            [self._new.shown.lines[index] for index in new],
        )
        ends = {self._old.ends[index] for index in old} != {self._new.ends[index] for index in new}
        ends = ends and bool(old) and bool(new)
        for index, words in zip(old, old_words, strict=True):
            self._changed(self._old, index, words, ends=ends)
        for index, words in zip(new, new_words, strict=True):
            self._changed(self._new, index, words, ends=ends)
        self._notes(index + 1 for index in old)

    def _changed(
        self, side: _Side, index: int, words: Iterable[tuple[int, int]], *, ends: bool
    ) -> None:
        number = index + 1
        old, new = (number, None) if side.sign == "-" else (None, number)
        marks: Marks = [(start, stop, f"{side.style}.word") for start, stop in words]
        code = side.shown.text(index, marks)
        if ends:
            code.append_text(code_text(side.ends[index], ()))
        self._code(self._gutter(old, new, side.sign, side.style), code, side.style)
        if not side.ends[index]:
            self._page.row(self._blank(side.style), ("no newline at the end of the file", "faint"))

    def _code(self, gutter: Text, code: Text, style: str) -> None:
        self._page.code(gutter, code, self._blank(style))

    def _gutter(self, old: int | None, new: int | None, sign: str, style: str) -> Text:
        numbers = f"{old or '':>{self._digits}} {new or '':>{self._digits}} "
        return Text.assemble((f"{numbers}{self._bar}{sign} ", style))

    def _blank(self, style: str) -> Text:
        return Text.assemble((" " * (self._digits * 2 + 2) + self._bar + "  ", style))

    def _notes(self, lines: Iterable[int]) -> None:
        for number in lines:
            for finding in self._marked[number]:
                self._note(finding)

    def _note(self, finding: Finding) -> None:
        level = finding.level.value
        mark = self._page.glyph("▲", "^")
        head = self._blank("faint") + Text(f"{mark} {level} ", style=level)
        if finding.change in self._admitted:
            self._page.hanging(head, finding.message, level)
        else:
            why = finding.reason or f"{finding.rule}, not rewritten"
            self._page.hanging(head, f"{why}, see below", "faint")


def _side(sign: str, style: str, path: str, lines: SourceLines, shown: list[range]) -> _Side:
    return _Side(sign, style, lines.ends, Highlighted(path, lines.lines, shown))


def _by_last_line(section: Section, lines: SourceLines) -> defaultdict[int, list[Finding]]:
    marked: defaultdict[int, list[Finding]] = defaultdict(list)
    for finding in section.findings:
        if finding.level is not Level.SAFE:
            marked[_last_line(lines.region(finding.place.span))].append(finding)
    return marked


def _last_line(region: Region) -> int:
    # A span that ends with a line end does not reach into the next line.
    ends_before = region.end_column == 1 and region.end_line > region.line
    return region.end_line - 1 if ends_before else region.end_line

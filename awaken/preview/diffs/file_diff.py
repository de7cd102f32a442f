"""The changes of one file on a terminal: what is in its hunks, for a layout to draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from awaken.contract import Finding, Level
from awaken.preview.console.code import Highlighted, Marks, code_text
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.diffs.emphasis import emphasis
from awaken.preview.diffs.hunks import CONTEXT, Block, Hunk, hunks
from awaken.preview.diffs.layouts import Layout, Line, Unified
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.sections import Section

_NOTHING = Block(equal=True, start=0, stop=0, new_start=0, new_stop=0)


class _Side(Struct, frozen=True):
    """The text before or after: its lines as they are shown, and how they end."""

    sign: str
    style: str
    ends: list[str]
    shown: Highlighted

    def same(self, index: int) -> Line:
        return Line(index + 1, self.shown.text(index))

    def changed_line(self, index: int, words: Iterable[tuple[int, int]], *, ends: bool) -> Line:
        marks: Marks = [(start, stop, f"{self.style}.word") for start, stop in words]
        code = self.shown.text(index, marks)
        if ends:
            code.append(code_text(self.ends[index], ()))
        return Line(index + 1, code, self.sign, self.style, ended=bool(self.ends[index]))


class FileDiff:
    """The differences in one section, which must hold a change; ``context`` lines around."""

    def __init__(self, page: Page, section: Section, context: int = CONTEXT) -> None:
        self._page = page
        change = section.change
        assert change is not None  # noqa: S101  said above
        old = SourceLines(change.before.text if change.before else b"")
        new = SourceLines(change.after.text)
        self._hunks = hunks(old.whole, new.whole, context)
        olds = [range(hunk[0].start, hunk[-1].stop) for hunk in self._hunks]
        news = [range(hunk[0].new_start, hunk[-1].new_stop) for hunk in self._hunks]
        self._old = _Side("-", "removed", old.ends, page.highlight(section.path, old.lines, olds))
        self._new = _Side("+", "added", new.ends, page.highlight(section.path, new.lines, news))
        self._marked = _by_last_line(section, old)
        self._scopes = [(old.region(found.place.span), found.scope) for found in section.findings]
        self._made = section.made

    @property
    def digits(self) -> int:
        """How many digits the numbers of its lines have, at least 2."""
        last = self._hunks[-1][-1] if self._hunks else _NOTHING
        return max(len(str(last.stop)), len(str(last.new_stop)), 2)

    def print(self, layout: Layout | None = None) -> None:
        """Print every hunk, each under the name of the function that it changes.

        Without ``layout`` that is in one column.
        """
        layout = layout or Unified(self._page, self.digits)
        for number, hunk in enumerate(self._hunks):
            self._separator(layout, hunk, first=number == 0)
            for block in hunk:
                if block.equal:
                    self._context(layout, block)
                else:
                    self._print_replaced(layout, block)

    def _separator(self, layout: Layout, hunk: Hunk, *, first: bool) -> None:
        if hunk[0].start == 0:  # nothing is left out above the first line
            return
        named = self._scope(hunk)
        if named or not first:
            dots = self._page.glyph("⋯", "...").rjust(layout.indent())
            self._page.row((dots + named, "faint"))

    def _scope(self, hunk: Hunk) -> str:
        inner = [block for block in hunk if not block.equal]
        start, stop = inner[0].start + 1, inner[-1].stop
        scopes = [
            scope
            for region, scope in self._scopes
            if region.line <= max(stop, start) and region.end_line >= start
        ]
        return f" in {scopes[0]}" if scopes and scopes[0] != "<module>" else ""

    def _context(self, layout: Layout, block: Block) -> None:
        for index in range(block.start, block.stop):
            new = block.new_start + index - block.start
            layout.same(self._old.same(index), self._new.same(new))
            self._notes(layout, [index + 1])

    def _print_replaced(self, layout: Layout, block: Block) -> None:
        old, new = range(block.start, block.stop), range(block.new_start, block.new_stop)
        words = emphasis(
            [self._old.shown.lines[index] for index in old],
            [self._new.shown.lines[index] for index in new],
        )
        # Line ends are shown only where they are what differs, or nobody would see why.
        ends = {self._old.ends[index] for index in old} != {self._new.ends[index] for index in new}
        # Lines that are only added or removed have no other end to compare.
        ends = ends and bool(old) and bool(new)
        layout.print_changed(
            [
                self._old.changed_line(index, words.old[index - old.start], ends=ends)
                for index in old
            ],
            [
                self._new.changed_line(index, words.new[index - new.start], ends=ends)
                for index in new
            ],
            words.pairs,
        )
        self._notes(layout, (index + 1 for index in old))

    def _notes(self, layout: Layout, lines: Iterable[int]) -> None:
        for number in lines:
            for finding in self._marked[number]:
                self._note(layout, finding)

    def _note(self, layout: Layout, finding: Finding) -> None:
        level = finding.level.value
        mark = self._page.glyph("▲", "^")
        head = layout.blank() + Text(f"{mark} {level} ", style=level)
        if finding.change in self._made:
            self._page.hanging(head, finding.message, level)
        else:
            why = finding.reason or f"{finding.rule}, not rewritten"
            self._page.hanging(head, f"{why}, see below", "faint")


def _by_last_line(section: Section, lines: SourceLines) -> defaultdict[int, list[Finding]]:
    marked: defaultdict[int, list[Finding]] = defaultdict(list)
    for finding in section.findings:
        # A safe rewrite needs no word: the diff shows it.
        if finding.level is not Level.SAFE:
            marked[lines.region(finding.place.span).last_line].append(finding)
    return marked

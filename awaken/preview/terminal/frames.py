"""Findings as a linter shows them: a frame of code, the place underlined, reason and help.

The members of one change, which is made as a whole or not at all, are one line if they are many.

The new text of single places in a file, where it is separate from that of their neighbors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import ChangeId, Finding, Level, Place
from awaken.engine.report import FileChange, Report, RootReport
from awaken.preview.console.code import underline
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text
from awaken.preview.counts import clauses, plural
from awaken.preview.diffs.emphasis import emphasis
from awaken.preview.diffs.hunks import Block, hunks
from awaken.preview.diffs.source_lines import Region, SourceLines
from awaken.preview.paths import relative
from awaken.preview.report_places import NOWHERE, Places
from awaken.preview.sections import BESIDE, CURE_OF_UNSAFE, outlined_sites

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

_FURTHEST = 3
"""Lines beside a place that may belong to its rewrite; with more, others are mixed in. A choice: as
many as the context of a hunk."""
_FEW = 5
"""As many sites of one change, or left alone for the same cause, are shown one by one."""


class Rewrite(Struct, frozen=True):
    """The lines ``old`` (indices from 0) became the lines ``new``."""

    old: range
    new: range


class Rewrites:
    """The new texts of the ``regions`` of one file, and its lines in the colors of ``page``."""

    def __init__(self, page: Page, change: FileChange, regions: Iterable[Region]) -> None:
        before = SourceLines(change.before.text if change.before else b"")
        after = SourceLines(change.after.text)
        self._before, self._after = before.lines, after.lines
        self._changes = [
            part
            for hunk in hunks(before.whole, after.whole, context=0)
            for block in hunk
            for part in self._parts(block)
        ]
        shown = [rewrite.new for region in regions if (rewrite := self.rewrite_of(region))]
        self._code = page.highlight(change.path, after.lines, shown)

    def rewrite_of(self, region: Region) -> Rewrite | None:
        """Return what became of the lines of ``region``; None where they are as they were.

        None as well where too much else changed with them.
        """
        first, last = region.line - 1, region.last_line
        if not any(part.start < last and part.stop > first for part in self._changes):
            return None
        # an insertion right before or after belongs to it
        own = [part for part in self._changes if part.start <= last and part.stop >= first]
        own = [part for part in own if part.start == part.stop or _meets(part, first, last)]
        start, stop = min(first, own[0].start), max(last, own[-1].stop)
        if first - start > _FURTHEST or stop - last > _FURTHEST:
            return None
        new_start = own[0].new_start - (own[0].start - start)
        return Rewrite(range(start, stop), range(new_start, own[-1].new_stop + stop - own[-1].stop))

    def text(self, rewrite: Rewrite) -> tuple[Text, ...]:
        """Return the new lines of ``rewrite``, with the changed words marked."""
        old = [self._before[index] for index in rewrite.old]
        words = emphasis(old, [self._after[index] for index in rewrite.new]).new
        return tuple(
            self._code.text(index, [(start, stop, "added.word") for start, stop in marked])
            for index, marked in zip(rewrite.new, words, strict=True)
        )

    def _parts(self, block: Block) -> Iterator[Block]:
        """Yield ``block`` in parts of lines that belong together."""
        old = self._before[block.start : block.stop]
        new = self._after[block.new_start : block.new_stop]
        starts = [(0, 0), *emphasis(old, new).pairs, (len(old), len(new))]
        begin = starts[0]
        for end in sorted(set(starts))[1:]:
            # A part must be code by itself: one that leaves a bracket open goes on in the next.
            if end == starts[-1] or _is_closed(new[begin[1] : end[1]]):
                yield Block(
                    equal=False,
                    start=block.start + begin[0],
                    stop=block.start + end[0],
                    new_start=block.new_start + begin[1],
                    new_stop=block.new_start + end[1],
                )
                begin = end


def _meets(part: Block, first: int, last: int) -> bool:
    return part.start < last and part.stop > first


def _is_closed(lines: Sequence[str]) -> bool:
    """Whether every bracket that ``lines`` open is closed in them, as far as a count can tell."""
    text = "".join(lines)
    return all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))


def print_findings(
    report: Report, console: AnyConsole, current: Path, *, every: bool = False
) -> None:
    """Print one frame per finding of ``report``, paths relative to ``current``.

    With ``every`` also one per member of a change that has many.
    """
    page = Page(console)
    for root in report.roots:
        _Frames(page, root, current).print(every=every)
    _print_cure_of_unsafe(report, page)


def _print_cure_of_unsafe(report: Report, page: Page) -> None:
    """Print once what to do about all unsafe changes that do not say it themselves."""
    sites = [
        (root.root, finding.change)
        for root in report.roots
        for finding in root.findings
        if finding.level is Level.UNSAFE and not finding.help
    ]
    if sites:
        changes, number = len(set(sites)), plural(len(sites), "unsafe site")
        # Sites of one change are written together or not at all: one decision is asked for.
        if changes < len(sites):
            number = f"{plural(changes, 'unsafe change')} at {plural(len(sites), 'site')}"
        page.sentence(("what to do", "faint"), " about ", (f"{number}: ", "unsafe"), CURE_OF_UNSAFE)
        page.row()


def _key(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.message


def _is_left_for_another(finding: Finding) -> bool:
    """Whether a site is left alone for the sake of another."""
    return finding.reason is not None and finding.reason.endswith(BESIDE)


def _is_said_together(finding: Finding) -> bool:
    """Whether a site says no more than others with the same message: their change is rejected."""
    reason = finding.reason or ""
    return reason.startswith("engine/") or _is_left_for_another(finding)


def _foldable_groups(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """Return the sites that are left alone for one cause that is not their own, if they are many.

    Each of them by itself says no more than all of them together.
    """
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if _is_said_together(finding):
            alike.setdefault(_key(finding), []).append(finding)
    return {key: each for key, each in alike.items() if len(each) > _FEW}


def _members(root: RootReport, findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Return the sites that are rewritten together or not at all, of changes that have many.

    With the title of each. Where no outline says what may change, the title has to say all of it.
    """
    titles = {change.id: change.title for change in (*root.changes, *root.pending)}
    outlines = {outline.change: outline.title for outline in root.outlines}
    result: dict[ChangeId, list[Finding]] = {}
    for finding in findings:
        if finding.change is not None and finding.change in titles:
            result.setdefault(finding.change, []).append(finding)
    return [
        (outlines.get(change, titles[change]), each)
        for change, each in result.items()
        if len(each) > _FEW
        if change in outlines or all(_caveats(item.message) in titles[change] for item in each)
    ]


def _caveats(message: str) -> str:
    return "; ".join(clauses(message)[1:])


class _Frames:
    """The frames of one root; keeps the file that it is in, as findings come sorted."""

    def __init__(self, page: Page, root: RootReport, current: Path) -> None:
        self._page = page
        self._root = root
        self._current = current
        self._changes = {file.path: file for file in root.files}
        self._places = Places(current)
        # The place of the first site that each caveat was shown at.
        self._caveats: dict[str, str] = {}

    def print(self, *, every: bool) -> None:
        told = outlined_sites(self._root)
        others = [candidate for candidate in self._root.findings if candidate.site not in told]
        folded = _foldable_groups(others)
        changes = [] if every else _members(self._root, others)
        members = {item.site for _, each in changes for item in each}
        shown = [item for item in others if _key(item) not in folded and item.site not in members]
        for path, group in groupby(shown, key=lambda finding: finding.place.path):
            findings = list(group)
            self._open(path, findings)
            for finding in findings:
                self._finding(finding)
        for title, findings in changes:
            self._print_group(
                findings[0].rule, findings, f" are one change: {title} (`-v` shows each)"
            )
        for (rule, message), findings in folded.items():
            cure = "" if _is_left_for_another(findings[0]) else f". {findings[0].help}"
            self._print_group(rule, findings, f": {message}{cure}")
        for outline in self._root.outlines:
            sites = told.intersection(outline.sites)
            findings = [candidate for candidate in self._root.findings if candidate.site in sites]
            if findings:
                explain = f"`awaken explain FILE:LINE --select {outline.rule}`"
                why = f" stay as they are with these; {explain} says why"
                self._print_group(outline.rule, findings, why)

    def _print_group(self, rule: str, findings: Sequence[Finding], why: str) -> None:
        """Print one line for sites of one change, or that are left alone for one reason."""
        level = findings[0].level.value
        files = plural(len({finding.place.path for finding in findings}), "file")
        what = f"{plural(len(findings), 'place')} in {files}{why}"
        self._page.sentence((rule, "code.name"), " ", (level, level), ": ", (what, "path"))
        self._page.row()

    def _open(self, path: str, findings: Iterable[Finding]) -> None:
        self._lines = SourceLines(self._root.sources[path].text)
        regions = [self._lines.region(finding.place.span) for finding in findings]
        self._code = CodeFrames(self._page, path, self._lines, regions)
        change = self._changes.get(path)
        self._rewrites = Rewrites(self._page, change, regions) if change else None
        self._told: list[range] = []

    def _finding(self, finding: Finding) -> None:
        level = finding.level.value
        page, region = self._page, self._lines.region(finding.place.span)
        digits = len(str(region.end_line + 1))
        head = (finding.rule, "code.name"), " ", (level, level), ": "
        caveats: list[str] = []
        message = finding.message
        if finding.level is Level.UNSAFE:
            message, *caveats = clauses(message)
        page.sentence(*head, (message, "path"))
        page.row(" " * digits, ("--> ", "faint"), self._where(finding.place, region))
        rewrite = self._rewrite(finding, region)
        # Sites that share lines are rewritten by the same new text, shown once.
        told = rewrite is not None and any(_is_within(rewrite.old, item) for item in self._told)
        self._code.print(region, digits, level, None if told else self._new_text(rewrite))
        self._page.print_labelled(digits, "rewrite", "shown above" if told else "")
        for caveat in self._news(caveats, self._where(finding.place, region)):
            self._page.print_labelled(digits, "may change", caveat)
        self._page.print_labelled(digits, "reason", finding.reason or "")
        self._page.print_labelled(digits, "what to do", finding.help)
        # Two expressions may begin in one place.
        related = (f"{self._text_elsewhere(item)} {item.note}".rstrip() for item in finding.related)
        for place in dict.fromkeys(related):
            self._page.print_labelled(digits, "because", place)
        page.row()

    def _news(self, caveats: Iterable[str], where: str) -> Iterator[str]:
        """Yield the caveats that no earlier site had, then where the others were shown."""
        earlier: dict[str, None] = {}
        for caveat in caveats:
            first = self._caveats.setdefault(caveat, where)
            if first == where:
                yield caveat
            else:
                earlier[first] = None
        if earlier:
            yield f"as at {', '.join(earlier)}"

    def _rewrite(self, finding: Finding, region: Region) -> Rewrite | None:
        if self._rewrites is None or finding.change not in self._root.change_ids:
            return None
        return self._rewrites.rewrite_of(region)

    def _new_text(self, rewrite: Rewrite | None) -> Rewritten | None:
        if self._rewrites is None or rewrite is None:
            return None
        self._told.append(rewrite.old)
        text = self._rewrites.text(rewrite)
        old = self._lines.lines[rewrite.old.start : rewrite.old.stop]
        # For unchanged lines with more after them, only the additions are new.
        is_added = [item.plain for item in text[: len(old)]] == [one.rstrip("\r\n") for one in old]
        return Rewritten(rewrite.old, text[len(old) :] if is_added else text)

    def _where(self, place: Place, region: Region) -> str:
        path = relative(self._root.root, place.path, self._current)
        return f"{path}:{region.line}:{region.column}"

    def _text_elsewhere(self, place: Place) -> str:
        path, region = self._places.location_of(self._root, place)
        return path if region is NOWHERE else f"{path}:{region.line}:{region.column}"


def _is_within(inner: range, outer: range) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


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

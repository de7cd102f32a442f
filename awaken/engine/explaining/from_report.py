"""The explanation of a line that a run rewrites, or leaves for a reason, from what it came to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Literal

from msgspec import Struct, structs

from awaken.contract import ChangeId, Finding, Place
from awaken.engine.explaining.explanation import (
    AskedPlace,
    Explanation,
    Site,
    SiteTeller,
    findings_at,
    findings_of,
    line_span,
    nearest_lines,
    offset,
)
from awaken.engine.report import FileChange, RootReport
from awaken.kit.rule import Rule
from awaken.project.source.lines.statement_lines import Lines, differing_lines
from awaken.project.source.memo import cached_by

_FEW = 3
"""As many changes are told of one line; an import may be needed by hundreds."""

_IMPORT = re.compile(rb"^\s*(?:from|import)\b")


def from_report(report: RootReport, rules: Sequence[Rule], asked: AskedPlace) -> Explanation | None:
    """Return what ``report`` says of a line; None if that is nothing, or not all.

    A site whose change waits to be allowed is not in it as it would be rewritten.
    """
    file = next((candidate for candidate in report.files if candidate.path == asked.path), None)
    source = report.sources.get(asked.path) if file is None else file.before
    if source is None:
        return None
    lines = source.line_spans()
    line = line_span(lines, asked)
    point = offset(source, line, asked)
    findings = findings_of(report, asked.path)
    here, note = findings_at(findings, asked, line, point)
    teller = _Teller(report, rules, file)
    sites = [teller.site(finding, "span", asked.line) for finding in here]
    if point is None or not sites:
        told = {site.change.id for site in sites if site.change is not None}
        others, more = teller.others(asked.line, told)
        sites += others
        note = note or more
    if not sites or any(site.status == "waiting" for site in sites):
        return None
    return Explanation(
        asked=asked,
        root=report.root,
        source=source,
        sites=tuple(sites),
        nearest=nearest_lines(findings, here, lines, asked.line),
        report=report,
        note=note,
    )


class _Teller:
    """Tells of the sites of a report, and of what their changes do to one file."""

    def __init__(self, report: RootReport, rules: Sequence[Rule], file: FileChange | None) -> None:
        self._report = report
        self._rules = {rule.name: rule for rule in rules}
        self._file = None if file is None else self._lines_of(file)
        self._teller = SiteTeller(report, rules, self._files_of)

    @cached_by(attrgetter("path"))
    def _lines_of(self, file: FileChange) -> _ChangedLines:
        return _ChangedLines(self._report, file)

    def _files_of(self, change: ChangeId) -> tuple[FileChange, ...]:
        if change not in self._report.change_ids:
            return ()
        together = {change, *(item.id for item in self._teller.required_changes(change))}
        paths = {path for one in self._report.changes if one.id in together for path in one.paths}
        files = (self._lines_of(file) for file in self._report.files if file.path in paths)
        return tuple(made for file in files if (made := file.file_with_only(together)) is not None)

    def site(self, finding: Finding, matched: Literal["span", "change"], line: int) -> Site:
        """Return a site with the pieces that its change adds around ``line``."""
        site = self._teller.site(finding, matched)
        rule = self._rules.get(finding.rule)
        if self._file is None or site.change is None or rule is None:
            return site
        hunk = self._file.hunk_at(line - 1)
        hunks: list[Hunk] = [] if hunk is None else [hunk]
        return structs.replace(site, pieces=tuple(self._file.pieces(hunks, rule.pieces)))

    def others(self, line: int, told: set[ChangeId]) -> tuple[list[Site], str]:
        """Return the sites whose changes also edit the line of those ``told``, and a note."""
        hunk = None if self._file is None else self._file.hunk_at(line - 1)
        if self._file is None or hunk is None:
            return [], ""
        change_ids = [item for item in self._file.changes_at(line - 1, hunk) if item not in told]
        path = self._file.file.path
        start = sum(map(len, self._file.before[: line - 1]))

        # A change may have sites in many files.
        def distance(one: Finding) -> tuple[bool, int]:
            return one.place.path != path, abs(one.place.span.start - start)

        sites: list[Site] = []
        for change in change_ids[:_FEW]:
            own = [finding for finding in self._report.findings if finding.change == change]
            sites += [
                self.site(finding, "change", line) for finding in sorted(own, key=distance)[:1]
            ]
        more = len(change_ids) - _FEW
        return sites, f"{more} more changes edit this line" if more > 0 else ""


class Hunk(Struct, frozen=True):
    """Lines that a run replaces, and those that it puts there; counted from 0."""

    lines: Lines
    others: Lines

    def holds(self, lines: Lines) -> bool:
        """Whether it replaces one of ``lines``, or puts something in front of one of them."""
        if self.lines.start == self.lines.end:
            return lines.start <= self.lines.start <= lines.end
        return lines.start < self.lines.end and self.lines.start < lines.end


class _ChangedLines:
    """The changes of a run in one file, hunk by hunk, with the origin of each."""

    def __init__(self, report: RootReport, file: FileChange) -> None:
        self.file = file
        text = b"" if file.before is None else file.before.text
        self.before, self.after = text.splitlines(True), file.after.text.splitlines(True)
        self.hunks = [Hunk(*item) for item in differing_lines(self.before, self.after)]
        starts = [0]
        for line in self.before:
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self._edited: dict[ChangeId, list[Lines]] = {}
        self._imports: dict[ChangeId, set[bytes]] = {}
        for place in report.edited:
            if place.place.path != file.path:
                continue
            if place.name:
                bound = place.name.rpartition(".")[2].encode()
                self._imports.setdefault(place.change, set()).add(bound)
            else:
                self._edited.setdefault(place.change, []).append(self._lines_of(place.place))

    def _lines_of(self, place: Place) -> Lines:
        first = bisect_right(self._starts, place.span.start) - 1
        last = bisect_left(self._starts, max(place.span.end, place.span.start + 1))
        return Lines(first, max(last, first + 1))

    def hunk_at(self, line: int) -> Hunk | None:
        """Return the hunk that replaces a line, or puts something directly in front of it."""
        inside = (hunk for hunk in self.hunks if hunk.lines.start <= line < hunk.lines.end)
        added = (hunk for hunk in self.hunks if hunk.lines.start == hunk.lines.end == line)
        return next(inside, None) or next(added, None)

    def changes_at(self, line: int, hunk: Hunk) -> list[ChangeId]:
        """Return the changes that edit a line of ``hunk``, or else the hunk."""
        here = [item for item, all_ in self._edited.items() if _meet(all_, Lines(line, line + 1))]
        here = here or [item for item, all_ in self._edited.items() if any(map(hunk.holds, all_))]
        return here or self._importing(hunk)

    def _importing(self, hunk: Hunk) -> list[ChangeId]:
        """Return the changes that need, or no longer need, an import that ``hunk`` is about."""
        text = b"".join((*self.old(hunk), *self.new(hunk)))
        words = set(re.findall(rb"\w+", text))
        return [change for change, names in self._imports.items() if names & words]

    def old(self, hunk: Hunk) -> Sequence[bytes]:
        """Return the lines that go."""
        return self.before[hunk.lines.start : hunk.lines.end]

    def new(self, hunk: Hunk) -> Sequence[bytes]:
        """Return the lines that come."""
        return self.after[hunk.others.start : hunk.others.end]

    def hunks_of(self, changes: Collection[ChangeId]) -> Iterator[Hunk]:
        """Yield the hunks that some of ``changes`` are about."""
        edited = [lines for change in changes for lines in self._edited.get(change, ())]
        names = {name for change in changes for name in self._imports.get(change, ())}
        for hunk in self.hunks:
            if any(map(hunk.holds, edited)):
                yield hunk
            elif names and any(_IMPORT.match(line) for line in (*self.old(hunk), *self.new(hunk))):
                words = set(re.findall(rb"\w+", b"".join((*self.old(hunk), *self.new(hunk)))))
                if names & words:
                    yield hunk

    def file_with_only(self, changes: Collection[ChangeId]) -> FileChange | None:
        """Return the file with what ``changes`` do to it and nothing else; None if that is nothing.

        Changes that share a line with them come with them.
        """
        if self.file.before is None or not self._has_any(changes):
            return self.file
        kept, at, made = list(self.hunks_of(changes)), 0, []
        for hunk in kept:
            made += [*self.before[at : hunk.lines.start], *self.new(hunk)]
            at = hunk.lines.end
        if not kept:
            return None
        after = structs.replace(self.file.after, text=b"".join((*made, *self.before[at:])))
        return structs.replace(self.file, after=after)

    def _has_any(self, changes: Collection[ChangeId]) -> bool:
        """Whether it is known where ``changes`` edit the file: of settings files it is not."""
        return any(change in self._edited or change in self._imports for change in changes)

    def pieces(self, hunks: Sequence[Hunk], known: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return which of the ``known`` pieces the hunks add, each with its reason."""
        old = b"".join(line for hunk in hunks for line in self.old(hunk)).decode()
        new = b"".join(line for hunk in hunks for line in self.new(hunk)).decode()
        return [(text, why) for text, why in known.items() if new.count(text) > old.count(text)]


def _meet(places: Sequence[Lines], lines: Lines) -> bool:
    return any(place.start < lines.end and lines.start < place.end for place in places)

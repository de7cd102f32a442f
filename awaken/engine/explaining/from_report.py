"""The explanation of a line that a run rewrites, or leaves for a reason, from what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import structs

from awaken.contract import ChangeId, Finding
from awaken.engine.explaining.explanation import (
    AskedPlace,
    Explanation,
    Site,
    findings_at,
    findings_of,
    line_span,
    nearest_lines,
    offset,
)
from awaken.engine.explaining.reported_lines import ChangedLines, Hunk
from awaken.engine.explaining.site_teller import SiteTeller
from awaken.engine.report import FileChange, RootReport
from awaken.kit.rule import Rule

_FEW = 3
"""As many changes are told of one line; an import may be needed by hundreds."""


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
        self._changed: dict[str, ChangedLines] = {}
        self._file = None if file is None else self._lines_of(file)
        self._teller = SiteTeller(report, rules, self._files_of)

    def _lines_of(self, file: FileChange) -> ChangedLines:
        if file.path not in self._changed:
            self._changed[file.path] = ChangedLines(self._report, file)
        return self._changed[file.path]

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

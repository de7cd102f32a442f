"""A report by files: each with its change, its findings and its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from awaken.contract import ChangeId, Finding, Outline, SiteId
from awaken.engine.report import FileChange, Report, RootReport
from awaken.preview.paths import relative
from awaken.workspace.sources import SourceFile

BESIDE = "/beside-another"
"""How the reasons end of sites that are left alone for the sake of others."""


CURE_OF_UNSAFE = (
    "check whether the program relies on the old behaviour; if not, apply it, otherwise "
    "leave it out"
)
"""What to do about an unsafe site that says nothing of it itself."""


def outlined_sites(root: RootReport) -> frozenset[SiteId]:
    """Return the sites of which an outline says why they are left alone: for the sake of others."""
    sites = {site for outline in root.outlines if outline.change is None for site in outline.sites}
    return frozenset(
        finding.site
        for finding in root.findings
        if finding.site in sites and finding.reason is not None and finding.reason.endswith(BESIDE)
    )


def waits_to_be_allowed(root: RootReport, outline: Outline) -> bool:
    """Whether the change of an outline is not made, but would be with ``--unsafe-fixes``."""
    return outline.change is not None and outline.change not in root.change_ids


class Section(Struct, frozen=True):
    """One file of the report; ``path`` is what is shown.

    ``findings`` are in this file; ``change`` is None where nothing of it is rewritten, and
    ``source`` None where it does not exist yet. ``made`` names the changes of its root that are in
    the preview.
    """

    path: str
    source: SourceFile | None
    findings: tuple[Finding, ...]
    change: FileChange | None
    made: frozenset[ChangeId]

    def remaining_findings(self) -> list[Finding]:
        """Return the findings that the preview does not rewrite."""
        return [finding for finding in self.findings if finding.change not in self.made]

    def rules(self) -> list[str]:
        """Return the rules that found or changed something here."""
        touched = self.change.findings if self.change else ()
        return sorted({finding.rule for finding in (*self.findings, *touched)})


def sections(report: Report, current: Path) -> Iterator[Section]:
    """Yield each file that has a finding or a change, by root and path."""
    for root in report.roots:
        yield from _of_root(root, current)


def _of_root(root: RootReport, current: Path) -> Iterator[Section]:
    changes = {file.path: file for file in root.files}
    findings: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in root.findings:
        findings[finding.place.path].append(finding)
    for path in sorted(changes.keys() | findings.keys()):
        change = changes.get(path)
        source = change.before if change else root.sources.get(path)
        shown = relative(root.root, path, current)
        yield Section(shown, source, tuple(findings[path]), change, root.change_ids)

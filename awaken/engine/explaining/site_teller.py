"""Describes one site of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from awaken.contract import ChangeId, Finding, Outline
from awaken.engine.explaining.explanation import Site
from awaken.engine.planning.engine_reasons import ENGINE_REASONS
from awaken.engine.report import ChangeSummary, FileChange, RootReport
from awaken.kit.rule import Rule


class SiteTeller:
    """Tells of the sites of one report; ``files_of`` says what a change alone does."""

    def __init__(
        self,
        report: RootReport,
        rules: Sequence[Rule],
        files_of: Callable[[ChangeId], tuple[FileChange, ...]],
    ) -> None:
        self._report = report
        self._files_of = files_of
        self._made = {change.id: change for change in report.changes}
        self._known = self._made | {change.id: change for change in report.pending}
        self._reasons = {reason.code: reason for reason in ENGINE_REASONS}
        for rule in rules:
            self._reasons.update({reason.full_code(rule.name): reason for reason in rule.reasons})

    def site(
        self, finding: Finding, matched: Literal["span", "statement", "change"] = "span"
    ) -> Site:
        """Return the explanation of a site."""
        suppressed = next((one for one in self._report.suppressed if one.finding is finding), None)
        change = self._known.get(finding.change) if finding.change else None
        status: Literal["rewritten", "waiting", "left", "held"] = "left"
        if suppressed is not None:
            status = "held"
        elif change is not None:
            status = "rewritten" if change.id in self._made else "waiting"
        return Site(
            finding=finding,
            status=status,
            matched=matched,
            suppressed=suppressed,
            reason=self._reasons.get(finding.reason or ""),
            change=change,
            requires=() if change is None else self.required_changes(change.id),
            outline=self._outline(finding),
            files=() if change is None else self._files_of(change.id),
        )

    def required_changes(self, change: ChangeId) -> tuple[ChangeSummary, ...]:
        """Return the other changes without which this one is not made."""
        needed = [change]
        for item in needed:
            summary = self._known.get(item)
            needed += (
                [other for other in summary.requires if other not in needed] if summary else []
            )
        wanted = set(needed) - {change}
        return tuple(summary for entry, summary in self._known.items() if entry in wanted)

    def _outline(self, finding: Finding) -> Outline | None:
        """Return the outline of the change of a site, or of the reason to leave it alone."""
        for outline in self._report.outlines:
            if outline.change is None and finding.change is None and finding.site in outline.sites:
                return outline
            if outline.change is not None and outline.change == finding.change:
                return outline
        return None

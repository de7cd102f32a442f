"""The policy of a run: the changes of a plan that may be made, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from awaken.contract import Change, ChangeId, Constraints, Finding, Level, SiteId
from awaken.engine.planning.conflicts import with_dependants
from awaken.engine.planning.engine_reasons import (
    HELD_BACK,
    OUTSIDE_SELECTED_PATHS,
    REQUIRES_REFUSED,
    Rejection,
)
from awaken.engine.report import SuppressedSite
from awaken.engine.suppressing.suppressed import SuppressionSources
from awaken.kit.rule import Rule


class Policy(Struct, frozen=True):
    """The permitted changes: by level, by excluded and suppressed sites, by the paths selected.

    ``unsafe_at`` says whether an unsafe change of a rule may edit a path; ``options`` are those of
    rules; ``rejected_rules`` are those of which no change is made, each with the reason.
    """

    constraints: Constraints = Constraints()
    options: Mapping[str, Struct] = {}
    suppression_sources: SuppressionSources | None = None
    unsafe_at: Callable[[str, str], bool] = lambda *_: False
    may_write: Callable[[str], bool] = lambda _: True
    rejected_rules: Mapping[str, Rejection] = {}

    def allows_level(self, change: Change) -> bool:
        """Whether a change of this level is made without being asked for, wherever it edits."""
        # A requirement alone edits no path: what holds for the whole project decides.
        paths = change.needed_paths or ("",)
        return change.level is Level.SAFE or all(
            self.unsafe_at(change.rule, path) for path in paths
        )

    def constraints_of(self, rule: Rule) -> Constraints:
        """Return the constraints for ``rule``, with its own options."""
        options = self.options.get(rule.name, self.constraints.options)
        return structs.replace(self.constraints, options=options)


def apply_policy(
    changes: Sequence[Change], policy: Policy, suppressed: Mapping[SiteId, SuppressedSite]
) -> tuple[list[Change], dict[ChangeId, Rejection]]:
    """Split ``changes`` into those to make and those rejected with a reason.

    Changes of a level that is not allowed, or with an excluded site, are in neither: their findings
    stay as they are.
    """
    rejected: dict[ChangeId, Rejection] = {}
    unwanted: set[ChangeId] = set()
    planned = {change.id for change in changes}
    in_suppressed = {one.finding.change: one for one in suppressed.values() if one.finding.change}
    for change in changes:
        outside = next((path for path in change.needed_paths if not policy.may_write(path)), None)
        missing = [candidate for candidate in change.requires if candidate not in planned]
        cause = next((suppressed[site] for site in change.sites if site in suppressed), None)
        # The rule planned around a suppressed site, so a change that needs its change is gone too.
        cause = cause or next((in_suppressed[one] for one in missing if one in in_suppressed), None)
        if change.rule in policy.rejected_rules:
            rejected[change.id] = policy.rejected_rules[change.rule]
        elif outside is not None:
            rejected[change.id] = Rejection.because(OUTSIDE_SELECTED_PATHS, path=outside)
        elif cause is not None:
            rejected[change.id] = Rejection.because(HELD_BACK, by=cause.by, note=cause.note)
        elif missing:
            rejected[change.id] = Rejection.because(REQUIRES_REFUSED)
        elif not policy.allows_level(change) or _is_excluded(change, policy):
            unwanted.add(change.id)
    _reject_dependants(changes, rejected)
    skipped = with_dependants({*rejected, *unwanted}, changes)
    return [change for change in changes if change.id not in skipped], rejected


def _reject_dependants(changes: Sequence[Change], rejected: dict[ChangeId, Rejection]) -> None:
    """Reject changes that require a rejected one, with its own reason if that one only waits."""
    # First, because a change may require a suppressed one and one that fails otherwise: the user
    # can act on the suppression.
    held_back = {change: why for change, why in rejected.items() if why.code == HELD_BACK.code}
    for guilty, why in held_back.items():
        for dependant in with_dependants({guilty}, changes):
            rejected.setdefault(dependant, why)
    for dependant in with_dependants(rejected, changes):
        rejected.setdefault(dependant, Rejection.because(REQUIRES_REFUSED))


def _is_excluded(change: Change, policy: Policy) -> bool:
    return not policy.constraints.excluded.isdisjoint(change.sites)


def pending_of(
    changes: Sequence[Change], rejected: Mapping[ChangeId, Rejection], policy: Policy
) -> list[Change]:
    """Return the changes that only wait for their level, or that of one they require."""
    # A change with an excluded site waits for nothing: no option would make it.
    out = {change.id for change in changes if _is_excluded(change, policy)}
    waiting = {change.id for change in changes if not policy.allows_level(change)}
    never = with_dependants({*rejected, *out}, changes)
    pending = with_dependants(waiting, changes) - never
    return [change for change in changes if change.id in pending]


def explain_rejected(finding: Finding, rejected: Mapping[ChangeId, Rejection]) -> Finding:
    """Return ``finding`` as it is then: manual, with the reason, if its change is rejected."""
    if finding.change is None or finding.change not in rejected:
        return finding
    why = rejected[finding.change]
    return structs.replace(
        finding,
        level=Level.MANUAL,
        message=why.message,
        reason=why.code,
        help=why.help,
        change=None,
    )


def explain_suppressed(suppressed: SuppressedSite, policy: Policy) -> SuppressedSite:
    """Return ``suppressed`` with the level that its site would have if it were not suppressed.

    A rule that does not hold on the versions of this project makes it manual.
    """
    why = policy.rejected_rules.get(suppressed.finding.rule)
    if why is None or suppressed.finding.change is None:
        return suppressed
    explained = explain_rejected(suppressed.finding, {suppressed.finding.change: why})
    return structs.replace(suppressed, finding=explained)

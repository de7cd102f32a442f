"""Which changes of a plan may be made, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from awaken.contract import Change, ChangeId, Finding, Level, Pins, SiteId
from awaken.engine.planning.conflicts import with_dependants
from awaken.engine.planning.reasons import (
    HELD_BACK,
    OUTSIDE_SELECTED_PATHS,
    REQUIRES_REFUSED,
    Refused,
)
from awaken.engine.report import Held
from awaken.engine.suppressing.suppressed import Holding
from awaken.kit.rule import Rule


class Admission(Struct, frozen=True):
    """Which changes may be made: by level, by the sites left out or held, by the paths selected.

    ``unsafe_at`` says whether an unsafe change may edit a path; ``options`` are those of rules.
    """

    pins: Pins = Pins()
    options: Mapping[str, Struct] = {}
    holding: Holding | None = None
    unsafe_at: Callable[[str], bool] = lambda _: False
    may_write: Callable[[str], bool] = lambda _: True
    refused_rules: Mapping[str, Refused] = {}

    def admits_level(self, change: Change) -> bool:
        """Whether a change of this level is made without being asked for, wherever it edits."""
        # a requirement alone stands for no path: what holds for the whole project decides
        return change.level is Level.SAFE or all(map(self.unsafe_at, change.paths or ("",)))

    def pins_of(self, rule: Rule) -> Pins:
        """Return the pins for ``rule``, with its own options."""
        options = self.options.get(rule.name, self.pins.options)
        return structs.replace(self.pins, options=options)


def sift(
    changes: Sequence[Change], admission: Admission, held: Mapping[SiteId, Held]
) -> tuple[list[Change], dict[ChangeId, Refused]]:
    """Split ``changes`` into those to make and those refused with a reason.

    Changes of a level that is not admitted, or with a site left out, are neither: their findings
    stay as they are.
    """
    refused: dict[ChangeId, Refused] = {}
    unwanted: set[ChangeId] = set()
    planned = {change.id for change in changes}
    in_held = {one.finding.change: one for one in held.values() if one.finding.change}
    for change in changes:
        outside = next((one for one in change.paths if not admission.may_write(one)), None)
        missing = [one for one in change.requires if one not in planned]
        holder = next((held[site] for site in change.sites if site in held), None)
        holder = holder or next((in_held[one] for one in missing if one in in_held), None)
        if change.rule in admission.refused_rules:
            refused[change.id] = admission.refused_rules[change.rule]
        elif outside is not None:
            refused[change.id] = Refused.because(OUTSIDE_SELECTED_PATHS, path=outside)
        elif holder is not None:
            refused[change.id] = Refused.because(HELD_BACK, by=holder.by, note=holder.note)
        elif missing:
            refused[change.id] = Refused.because(REQUIRES_REFUSED)
        elif not admission.admits_level(change) or _left_out(change, admission):
            unwanted.add(change.id)
    _refuse_dependants(changes, refused)
    skipped = with_dependants({*refused, *unwanted}, changes)
    return [change for change in changes if change.id not in skipped], refused


def _refuse_dependants(changes: Sequence[Change], refused: dict[ChangeId, Refused]) -> None:
    """Refuse what requires a refused change, for being held back where that one is."""
    held_back = {one: why for one, why in refused.items() if why.code == HELD_BACK.code}
    for guilty, why in held_back.items():
        for dependant in with_dependants({guilty}, changes):
            refused.setdefault(dependant, why)
    for dependant in with_dependants(refused, changes):
        refused.setdefault(dependant, Refused.because(REQUIRES_REFUSED))


def _left_out(change: Change, admission: Admission) -> bool:
    return not admission.pins.left_out.isdisjoint(change.sites)


def pending_of(
    changes: Sequence[Change], refused: Mapping[ChangeId, Refused], admission: Admission
) -> list[Change]:
    """Return the changes that only wait for their level, or that of one they require."""
    out = {change.id for change in changes if _left_out(change, admission)}
    waiting = {change.id for change in changes if not admission.admits_level(change)}
    never = with_dependants({*refused, *out}, changes)
    pending = with_dependants(waiting, changes) - never
    return [change for change in changes if change.id in pending]


def explain_refused(finding: Finding, refused: Mapping[ChangeId, Refused]) -> Finding:
    """Return ``finding`` as it is after that: manual, with the reason, if its change is refused."""
    if finding.change is None or finding.change not in refused:
        return finding
    why = refused[finding.change]
    return structs.replace(
        finding,
        level=Level.MANUAL,
        message=why.message,
        reason=why.code,
        cure=why.cure,
        change=None,
    )


def explain_held(held: Held, admission: Admission) -> Held:
    """Return ``held`` with the level that its site would have: a rule may not hold here."""
    why = admission.refused_rules.get(held.finding.rule)
    if why is None or held.finding.change is None:
        return held
    explained = explain_refused(held.finding, {held.finding.change: why})
    return structs.replace(held, finding=explained)

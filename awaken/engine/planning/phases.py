"""Runs the rules phase by phase over one project, and keeps only what passes every check.

One phase: plan all its rules on one snapshot, refuse what may not be written, materialise the
rest, check and prove it, roll back what is guilty with everything that requires it, and go on
with the new snapshot. After the last phase, planning again must give nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from awaken.contract import Change, Finding, Pins, Place, Plan, Problem, SiteId, Span
from awaken.engine.edits.splices import SpanMap
from awaken.engine.planning.again import seen_before, standing
from awaken.engine.planning.conflicts import settle
from awaken.engine.planning.in_memory import Materialised
from awaken.engine.planning.plan_contract import contract_broken
from awaken.engine.planning.planning import internal_error, plan_rule
from awaken.engine.planning.policy import (
    Admission,
    explain_held,
    explain_refused,
    pending_of,
    sift,
)
from awaken.engine.planning.reasons import UNDONE_BY_ANOTHER_RULE, Refused
from awaken.engine.progress import Progress, silent
from awaken.engine.report import Diagnostic, Held
from awaken.engine.suppressing.suppressed import Moment
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.workspace.sources import Snapshot

_PASSES = 10
"""How often a rule plans again because sites are held back; what is left then is not made."""


class Tools(Struct, frozen=True):
    """What a run needs beside its rules; every part is replaceable in tests.

    ``project`` builds the facts of a snapshot, in which rules look for sites in the given files
    only (None: in all); ``materialise`` carries changes out and ``check``
    says what they broke. ``jobs`` is the number of processes to plan in, None for one per core.
    ``progress`` is told how far planning is.
    """

    project: Callable[[Snapshot, frozenset[str] | None], Project]
    materialise: Callable[[Snapshot, Sequence[Change]], Materialised]
    check: Callable[[Snapshot, Materialised, Sequence[Change]], Iterable[Problem]]
    jobs: int | None = 1
    progress: Progress = silent


class Stage(Struct, frozen=True):
    """One phase: the snapshot that it began with, and what was planned there.

    ``findings`` are placed in ``before``. ``changes`` are those made, and those that only wait
    for their level to be admitted, in the order in which they were planned.
    """

    before: Snapshot
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]


class Outcome(Struct, frozen=True):
    """What the phases made of one project; findings are placed on disk."""

    before: Snapshot
    after: Snapshot
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    pending: tuple[Change, ...]
    touched: Mapping[str, frozenset[SiteId]]
    diagnostics: tuple[Diagnostic, ...]
    stages: tuple[Stage, ...]
    held: tuple[Held, ...] = ()


class _Progress:
    """What the phases so far have come to; grows phase by phase within one ``run``."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.before = self.snapshot = snapshot
        self.maps: list[Mapping[str, SpanMap]] = []
        self.findings: list[Finding] = []
        self.held: list[Held] = []
        self.changes: list[Change] = []
        self.pending: list[Change] = []
        self.touched: dict[str, set[SiteId]] = {}
        self.diagnostics: list[Diagnostic] = []
        self.distrusted: set[str] = set()
        self.stages: list[Stage] = []

    def distrust(self, rule: Rule, why: str) -> None:
        self.diagnostics.append(internal_error(rule.name, why))
        self.distrusted.add(rule.name)

    def changed_files(self) -> frozenset[str]:
        return frozenset(p for p in self.snapshot if self.snapshot[p] is not self.before.get(p))

    def on_disk(self, place: Place) -> Place:
        span = place.span
        for maps in reversed(self.maps):
            if place.path in maps:
                span = maps[place.path].to_before(span)
        return msgspec.structs.replace(place, span=span)

    def show(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(self._shown(finding) for finding in findings)

    def hold(self, held: Iterable[Held]) -> None:
        self.held.extend(
            msgspec.structs.replace(
                one,
                finding=self._shown(one.finding),
                place=None if one.place is None else self.on_disk(one.place),
            )
            for one in held
        )

    def _shown(self, finding: Finding) -> Finding:
        return msgspec.structs.replace(
            finding,
            place=self.on_disk(finding.place),
            chain=tuple(self.on_disk(place) for place in finding.chain),
        )


def run_phases(
    snapshot: Snapshot, rules: Sequence[Rule], tools: Tools, admission: Admission
) -> Outcome:
    """Run ``rules`` (in running order) over ``snapshot`` and return what came of it.

    Nothing is written. A rule that fails, or two that undo each other, cost a diagnostic and
    their own changes; everything else goes on.
    """
    progress = _Progress(snapshot)
    for _, group in groupby(rules, key=lambda rule: rule.phase):
        _run_phase(tuple(group), tools, admission, progress)
    unsettled = _plan_again(rules, tools, admission, progress)
    if unsettled:
        return _without_rules(unsettled, snapshot, rules, tools, admission)
    return Outcome(
        before=snapshot,
        after=progress.snapshot,
        findings=tuple(sorted(progress.findings, key=lambda finding: finding.place)),
        changes=tuple(progress.changes),
        pending=tuple(progress.pending),
        touched={path: frozenset(sites) for path, sites in progress.touched.items()},
        diagnostics=tuple(dict.fromkeys(progress.diagnostics)),
        stages=tuple(progress.stages),
        held=tuple(sorted(progress.held, key=lambda held: held.finding.place)),
    )


def _run_phase(
    rules: Sequence[Rule], tools: Tools, admission: Admission, progress: _Progress
) -> None:
    project = tools.project(progress.snapshot, None)
    findings: list[Finding] = []
    changes: list[Change] = []
    held: dict[SiteId, Held] = {}
    for rule in rules:
        plan, held_sites = _plan_holding(rule, project, admission, tools, progress)
        taken = {change.id for change in (*progress.changes, *progress.pending, *changes)}
        if any(change.id in taken for change in plan.changes):
            progress.distrust(rule, "a change has the identity of another rule's")
            continue
        findings.extend(plan.findings)
        changes.extend(plan.changes)
        held.update(held_sites)
    wanted, refused = sift(changes, admission, held)
    pending = pending_of(changes, refused, admission)
    progress.pending.extend(pending)
    settled = settle(
        progress.snapshot,
        wanted,
        tools.materialise,
        lambda result, active: _problems(progress.snapshot, result, active, rules, tools),
    )
    refused.update(settled.refused)
    progress.diagnostics.extend(settled.diagnostics)
    findings = [explain_refused(finding, refused) for finding in findings]
    progress.show(findings)
    progress.hold(explain_held(one, admission) for one in held.values())
    shown = {change.id for change in (*settled.changes, *pending)}
    progress.stages.append(
        Stage(
            before=progress.snapshot,
            findings=tuple(findings),
            changes=tuple(change for change in changes if change.id in shown),
        )
    )
    progress.changes.extend(settled.changes)
    for change in settled.changes:
        _note_touched(change, progress.touched)
    progress.snapshot = settled.result.snapshot
    progress.maps.append(settled.result.maps)


def _plan_holding(
    rule: Rule, project: Project, admission: Admission, tools: Tools, progress: _Progress
) -> tuple[Plan, dict[SiteId, Held]]:
    """Return what ``rule`` plans around the sites that are held back, and these sites.

    A held site is pinned and the rule plans again: it decides what becomes of the rest.
    """
    pins = admission.pins_of(rule)
    plan = _plan(rule, project, pins, tools, progress)
    held: dict[SiteId, Held] = {}
    moment = Moment(project.snapshot, progress.before, progress.on_disk)
    for _ in range(_PASSES):
        found = admission.holding.find(plan, moment) if admission.holding else {}
        new = {site: one for site, one in found.items() if site not in held}
        if not new:
            break
        held.update(new)
        pins = msgspec.structs.replace(pins, left_out=pins.left_out.union(held))
        files = frozenset(one.finding.place.path for one in new.values())
        scope = project.narrowed(files) if rule.per_file else project
        plan = _joined(plan, _plan(rule, scope, pins, tools, progress), files, rule)
    if rule.name in progress.distrusted:
        return Plan(), {}
    shown = tuple(finding for finding in plan.findings if finding.site not in held)
    return Plan(shown, plan.changes), held


def _joined(plan: Plan, again: Plan, files: frozenset[str], rule: Rule) -> Plan:
    """Return ``again``, with what ``plan`` has of other ``files`` where these do not matter."""
    if not rule.per_file:
        return again
    new = {finding.site for finding in again.findings}
    others = [
        finding
        for finding in plan.findings
        if finding.place.path not in files and finding.site not in new
    ]
    sites = {finding.site for finding in others}
    changes = [change for change in plan.changes if not sites.isdisjoint(change.sites)]
    return Plan((*others, *again.findings), (*changes, *again.changes))


def _plan(rule: Rule, project: Project, pins: Pins, tools: Tools, progress: _Progress) -> Plan:
    planned = plan_rule(rule, project, pins, tools.jobs, tools.progress)
    progress.diagnostics.extend(planned.diagnostics)
    broken = contract_broken(rule, planned.plan, pins, project.snapshot)
    if broken:
        progress.distrust(rule, broken)
        return Plan()
    return planned.plan


def _problems(
    before: Snapshot,
    result: Materialised,
    changes: Sequence[Change],
    rules: Sequence[Rule],
    tools: Tools,
) -> list[Problem]:
    problems = [*result.problems, *tools.check(before, result, changes)]
    if problems:
        return problems
    proving = [rule for rule in rules if type(rule).prove is not Rule.prove]
    if proving:
        after = tools.project(result.snapshot, None)
        for rule in proving:
            mine = [change for change in changes if change.rule == rule.name]
            problems.extend(_prove(rule, after, mine) if mine else ())
    return problems


def _prove(rule: Rule, after: Project, changes: Sequence[Change]) -> list[Problem]:
    try:
        return list(rule.prove(after, changes))
    except Exception as error:  # noqa: BLE001  what cannot be proved is not made
        what = f"internal error in {rule.name}: {type(error).__name__}: {error}"
        place = Place(next(iter(changes[0].paths), ""), Span(0, 0))
        return [Problem(place, what, tuple(change.id for change in changes))]


def _note_touched(change: Change, touched: dict[str, set[SiteId]]) -> None:
    for path in change.paths:
        touched.setdefault(path, set()).update(change.sites)


def _plan_again(
    rules: Sequence[Rule], tools: Tools, admission: Admission, progress: _Progress
) -> frozenset[str]:
    """Return the names of rules that would change their own, or another rule's, result again.

    Only files that changed are looked at: elsewhere nothing is new. Sites whose change was not
    made the first time are known by rule and place on disk.
    """
    if not progress.changes:
        return frozenset()
    made = {change.id for change in progress.changes}
    settled = [
        finding
        for finding in progress.findings
        if finding.change is None or finding.change not in made
    ]
    settled += [one.finding for one in progress.held]
    stand = standing(settled, progress.maps)
    project = tools.project(progress.snapshot, progress.changed_files())
    trusted = [rule for rule in rules if rule.name not in progress.distrusted]
    planned = [
        _plan_holding(rule, project, _knowing(stand, rule, admission), tools, progress)
        for rule in trusted
    ]
    held = {site: one for _, sites in planned for site, one in sites.items()}
    found = [
        msgspec.structs.replace(finding, place=progress.on_disk(finding.place))
        for plan, sites in planned
        for finding in (*plan.findings, *(one.finding for one in sites.values()))
    ]
    left_out = admission.pins.left_out | seen_before(found, settled, stand)
    pins = msgspec.structs.replace(admission.pins, left_out=left_out)
    changes = [change for plan, _ in planned for change in plan.changes]
    wanted, _ = sift(changes, msgspec.structs.replace(admission, pins=pins), held)
    again = {change.id for change in wanted}
    spans: dict[str, list[Span]] = {}
    for finding in found:
        if finding.change in again:
            spans.setdefault(finding.place.path, []).append(finding.place.span)
    guilty = {change.rule for change in wanted}
    guilty.update(
        finding.rule
        for finding in progress.findings
        if finding.change in made
        and any(finding.place.span.overlaps(span) for span in spans.get(finding.place.path, ()))
    )
    return frozenset(guilty)


def _knowing(stand: Mapping[Finding, Place], rule: Rule, admission: Admission) -> Admission:
    """Return ``admission`` with the sites of ``rule`` that need no second plan pinned."""
    settled = frozenset(place for finding, place in stand.items() if finding.rule == rule.name)
    pins = msgspec.structs.replace(admission.pins, settled=settled)
    return msgspec.structs.replace(admission, pins=pins)


def _without_rules(
    guilty: frozenset[str],
    snapshot: Snapshot,
    rules: Sequence[Rule],
    tools: Tools,
    admission: Admission,
) -> Outcome:
    names = " and ".join(sorted(guilty))
    what = "planning again after the last phase still gives changes"
    why = Refused.because(UNDONE_BY_ANOTHER_RULE, rules=names)
    refused = {**admission.refused_rules, **dict.fromkeys(guilty, why)}
    outcome = run_phases(
        snapshot, rules, tools, msgspec.structs.replace(admission, refused_rules=refused)
    )
    diagnostic = internal_error(names, what)
    return msgspec.structs.replace(outcome, diagnostics=(diagnostic, *outcome.diagnostics))

"""The phases of a run over one project: every rule plans, and only what passes every check stays.

One phase: plan all its rules on one snapshot, reject what may not be written, apply the rest in
memory, check and prove it, roll back what is guilty with everything that requires it, and go on
with the new snapshot. After the last phase, planning again must give nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from awaken.contract import (
    Change,
    ChangeId,
    Constraints,
    Finding,
    Outline,
    OutlinePart,
    Place,
    Plan,
    Problem,
    SiteId,
    Span,
)
from awaken.engine.edits.splices import SpanMap
from awaken.engine.planning.checks import rewritten_places, seen_before, standing
from awaken.engine.planning.conflicts import resolve_conflicts
from awaken.engine.planning.engine_reasons import UNDONE_BY_ANOTHER_RULE, Rejection
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.engine.planning.plan_contract import contract_broken
from awaken.engine.planning.policy import (
    Policy,
    apply_policy,
    explain_rejected,
    explain_suppressed,
    pending_of,
)
from awaken.engine.planning.rule_planning import PlainPlanner, Planner, internal_error
from awaken.engine.report import Diagnostic, EditedPlace, LeftToDo, SuppressedSite
from awaken.engine.suppressing.suppressed import PlanSnapshot
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.workspace.sources import Snapshot

_PASSES = 10
"""How often a rule plans again because sites are suppressed; what is left then is not made. A
choice: the rules here end with the first or second time, and one of the tests that gives way one
site at a time comes to the last."""


class Tools(Struct, frozen=True):
    """The inputs of a run besides its rules; every part is replaceable in tests.

    ``project`` builds the facts of a snapshot, in which rules look for sites in the given files
    only (None: in all); ``apply_in_memory`` makes the changes and ``check`` says what they broke.
    ``planner`` gives what plans the rules of a stage, by its name. ``looked_at`` is what the
    projects, and the changes made, looked at. Sites are looked for in the files of ``site_scope``
    (None: in all), or in more of them, as ``scope_of`` says of a rule. ``stays_within`` tells of
    rules and a snapshot whether that is enough.
    """

    project: Callable[[Snapshot, frozenset[str] | None], Project]
    apply_in_memory: Callable[[Snapshot, Sequence[Change]], EditedSnapshot]
    check: Callable[[Snapshot, EditedSnapshot, Sequence[Change]], Iterable[Problem]]
    planner: Callable[[str, Snapshot], Planner] = lambda stage, snapshot: PlainPlanner()  # noqa: ARG005
    looked_at: LookedAt = msgspec.field(default_factory=LookedAt)
    site_scope: frozenset[str] | None = None
    scope_of: Callable[[Rule], frozenset[str] | None] = lambda rule: None  # noqa: ARG005
    stays_within: Callable[[Sequence[Rule], Snapshot], bool] = lambda rules, snapshot: True  # noqa: ARG005


class NeedsAllSites(Exception):
    """A rule decides by sites in files where none were looked for."""


class Stage(Struct, frozen=True):
    """One phase: the snapshot that it began with, and what was planned there.

    ``findings`` are placed in ``before``. ``changes`` are those made, and those that only wait
    for their level to be allowed, in the order in which they were planned.
    """

    before: Snapshot
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]


class Outcome(Struct, frozen=True):
    """The results of the phases for one project; findings are placed on disk."""

    before: Snapshot
    after: Snapshot
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    pending: tuple[Change, ...]
    touched: Mapping[str, frozenset[SiteId]]
    diagnostics: tuple[Diagnostic, ...]
    stages: tuple[Stage, ...]
    suppressed: tuple[SuppressedSite, ...] = ()
    left_to_do: tuple[LeftToDo, ...] = ()
    outlines: tuple[Outline, ...] = ()
    edited: tuple[EditedPlace, ...] = ()
    edits_left_out: tuple[EditedPlace, ...] = ()


class _SoFar:
    """The results of the phases so far; grows phase by phase within one ``run``."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.before = self.snapshot = snapshot
        self.maps: list[Mapping[str, SpanMap]] = []
        self.findings: list[Finding] = []
        self.suppressed: list[SuppressedSite] = []
        self.changes: list[Change] = []
        self.pending: list[Change] = []
        self.touched: dict[str, set[SiteId]] = {}
        self.diagnostics: list[Diagnostic] = []
        self.distrusted: set[str] = set()
        # On which snapshot each rule planned.
        self.planned: dict[str, Snapshot] = {}
        self.stages: list[Stage] = []
        self.left_to_do: list[LeftToDo] = []
        self.outlines: list[Outline] = []
        self.edited: list[EditedPlace] = []
        self.edits_left_out: list[EditedPlace] = []

    def distrust(self, rule: Rule, why: str) -> None:
        self.diagnostics.append(internal_error(rule.name, why))
        self.distrusted.add(rule.name)

    def changed_files(self) -> frozenset[str]:
        return frozenset(p for p in self.snapshot if self.snapshot[p] is not self.before.get(p))

    def on_disk(self, place: Place) -> Place:
        span = place.span
        # Backwards: each map leads from the text after its phase to the one before it.
        for maps in reversed(self.maps):
            if place.path in maps:
                span = maps[place.path].to_before(span)
        return msgspec.structs.replace(place, span=span)

    def show(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(self._shown_finding(finding) for finding in findings)

    def outline(self, outlines: Iterable[Outline], shown: Collection[ChangeId]) -> None:
        """Keep the outlines of changes that are shown, and of those that do not exist."""
        for outline in outlines:
            if outline.change is None or outline.change in shown:
                parts = tuple(map(self._part_on_disk, outline.parts))
                self.outlines.append(msgspec.structs.replace(outline, parts=parts))

    def _part_on_disk(self, part: OutlinePart) -> OutlinePart:
        rows = [
            row
            if row.place is None
            else msgspec.structs.replace(row, place=self.on_disk(row.place))
            for row in part.rows
        ]
        return msgspec.structs.replace(part, rows=tuple(rows))

    def edited_places(self, changes: Iterable[Change]) -> Iterator[EditedPlace]:
        """Yield where ``changes`` edit files, or would."""
        for change in changes:
            for path, span, name in change.edited_spans():
                if path in self.before:
                    yield EditedPlace(change.id, self.on_disk(Place(path, span)), name)

    def suppress(self, suppressed: Iterable[SuppressedSite]) -> None:
        self.suppressed.extend(
            msgspec.structs.replace(
                site,
                finding=self._shown_finding(site.finding),
                place=None if site.place is None else self.on_disk(site.place),
            )
            for site in suppressed
        )

    def _shown_finding(self, finding: Finding) -> Finding:
        return msgspec.structs.replace(
            finding,
            place=self.on_disk(finding.place),
            related=tuple(self.on_disk(place) for place in finding.related),
        )


def run_phases(snapshot: Snapshot, rules: Sequence[Rule], tools: Tools, policy: Policy) -> Outcome:
    """Run ``rules`` (in running order) over ``snapshot`` and return what came of it.

    Nothing is written. A rule that fails, or two that undo each other, cost a diagnostic and
    their own changes; everything else goes on. Raises NeedsAllSites.
    """
    so_far = _SoFar(snapshot)
    # Foreign code rewrites what it likes of a file, so others begin with what it left.
    for _, group in groupby(rules, key=lambda one: (one.phase, one.name if one.is_foreign else "")):
        _run_phase(tuple(group), tools, policy, so_far)
    unstable = _plan_again(rules, tools, policy, so_far)
    if unstable:
        return _without_rules(unstable, snapshot, rules, tools, policy)
    return Outcome(
        before=snapshot,
        after=so_far.snapshot,
        findings=tuple(sorted(so_far.findings, key=lambda finding: finding.place)),
        changes=tuple(so_far.changes),
        pending=tuple(so_far.pending),
        touched={path: frozenset(sites) for path, sites in so_far.touched.items()},
        diagnostics=tuple(sorted(set(so_far.diagnostics))),
        stages=tuple(so_far.stages),
        suppressed=tuple(
            sorted(so_far.suppressed, key=lambda suppressed: suppressed.finding.place)
        ),
        left_to_do=tuple(sorted(so_far.left_to_do)),
        outlines=tuple(so_far.outlines),
        edited=tuple(so_far.edited),
        edits_left_out=tuple(so_far.edits_left_out),
    )


class _Planned(Struct, frozen=True):
    """The plans of the rules of one phase together, and the suppressed sites."""

    plan: Plan
    suppressed: Mapping[SiteId, SuppressedSite]


def _plan_rules(rules: Sequence[Rule], tools: Tools, policy: Policy, so_far: _SoFar) -> _Planned:
    """Have ``rules`` plan on the snapshot so far; its project is not held any longer then.

    Raises NeedsAllSites.
    """
    # An earlier phase may have written what a rule looks for.
    if not tools.stays_within(rules, so_far.snapshot):
        raise NeedsAllSites
    project = tools.project(so_far.snapshot, None)
    planner = tools.planner(str(len(so_far.stages)), so_far.snapshot)
    findings: list[Finding] = []
    changes: list[Change] = []
    outlines: list[Outline] = []
    suppressed: dict[SiteId, SuppressedSite] = {}
    for rule in rules:
        so_far.planned[rule.name] = so_far.snapshot
        own = project.with_site_scope(tools.scope_of(rule))
        plan, suppressed_sites = _plan_with_suppressions(rule, own, policy, planner, so_far)
        # Everything else goes by the identity of changes; two of one would be mistaken for another.
        taken = {change.id for change in (*so_far.changes, *so_far.pending, *changes)}
        if any(change.id in taken for change in plan.changes):
            so_far.distrust(rule, "a change has the identity of another rule's")
            continue
        findings.extend(plan.findings)
        changes.extend(plan.changes)
        outlines.extend(plan.outlines)
        suppressed.update(suppressed_sites)
    return _Planned(Plan(tuple(findings), tuple(changes), tuple(outlines)), suppressed)


def _run_phase(rules: Sequence[Rule], tools: Tools, policy: Policy, so_far: _SoFar) -> None:
    planned = _plan_rules(rules, tools, policy, so_far)
    changes, suppressed = planned.plan.changes, planned.suppressed
    wanted, rejected = apply_policy(changes, policy, suppressed)
    pending = pending_of(changes, rejected, policy)
    so_far.pending.extend(pending)
    resolution = resolve_conflicts(
        so_far.snapshot,
        wanted,
        tools.apply_in_memory,
        lambda result, active: _problems(so_far.snapshot, result, active, rules, tools),
    )
    rejected.update(resolution.rejected)
    so_far.diagnostics.extend(resolution.diagnostics)
    findings = [explain_rejected(finding, rejected) for finding in planned.plan.findings]
    so_far.show(findings)
    so_far.suppress(explain_suppressed(site, policy) for site in suppressed.values())
    shown = {change.id for change in (*resolution.changes, *pending)}
    so_far.outline(planned.plan.outlines, shown)
    so_far.stages.append(
        Stage(
            before=so_far.snapshot,
            findings=tuple(findings),
            changes=tuple(change for change in changes if change.id in shown),
        )
    )
    so_far.edited.extend(so_far.edited_places(resolution.changes))
    made = {change.id for change in resolution.changes}
    left_out = (change for change in changes if change.id not in made)
    so_far.edits_left_out.extend(so_far.edited_places(left_out))
    so_far.changes.extend(resolution.changes)
    so_far.left_to_do.extend(resolution.result.left_to_do)
    at = {finding.site: finding.place.path for finding in findings}
    for change in resolution.changes:
        _note_touched(change, at, so_far.touched)
    so_far.snapshot = resolution.result.snapshot
    so_far.maps.append(resolution.result.maps)


def _plan_with_suppressions(
    rule: Rule, project: Project, policy: Policy, planner: Planner, so_far: _SoFar
) -> tuple[Plan, dict[SiteId, SuppressedSite]]:
    """Return what ``rule`` plans around the sites that are suppressed, and these sites.

    A suppressed site is excluded and the rule plans again: it decides about the rest.
    """
    constraints = policy.constraints_of(rule)
    plan = _plan(rule, project, constraints, planner, so_far)
    suppressed: dict[SiteId, SuppressedSite] = {}
    plan_snapshot = PlanSnapshot(project.snapshot, so_far.before, so_far.on_disk)
    for _ in range(_PASSES):
        sites = (
            policy.suppression_sources.find(plan, plan_snapshot)
            if policy.suppression_sources
            else {}
        )
        new = {site: item for site, item in sites.items() if site not in suppressed}
        if not new:
            break
        suppressed.update(new)
        constraints = msgspec.structs.replace(
            constraints, excluded=constraints.excluded.union(suppressed)
        )
        files = frozenset(site.finding.place.path for site in new.values())
        scope = project.with_site_scope(files) if rule.per_file else project
        plan = _joined_plan(plan, _plan(rule, scope, constraints, planner, so_far), files, rule)
    if rule.name in so_far.distrusted:
        return Plan(), {}
    shown = tuple(finding for finding in plan.findings if finding.site not in suppressed)
    return Plan(shown, plan.changes, plan.outlines), suppressed


def _joined_plan(plan: Plan, again: Plan, files: frozenset[str], rule: Rule) -> Plan:
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
    return Plan((*others, *again.findings), (*changes, *again.changes), again.outlines)


def _plan(
    rule: Rule, project: Project, constraints: Constraints, planner: Planner, so_far: _SoFar
) -> Plan:
    planned = planner.plan(rule, project, constraints)
    so_far.diagnostics.extend(planned.diagnostics)
    broken = contract_broken(rule, planned.plan, constraints, project.snapshot)
    if broken:
        so_far.distrust(rule, broken)
        return Plan()
    # Files that are planned apart give changes in another order than those planned together.
    places = {finding.site: (finding.place, finding.site) for finding in planned.plan.findings}
    changes = sorted(
        planned.plan.changes, key=lambda item: min(places[site] for site in item.sites)
    )
    return msgspec.structs.replace(planned.plan, changes=tuple(changes))


def _problems(
    before: Snapshot,
    result: EditedSnapshot,
    changes: Sequence[Change],
    rules: Sequence[Rule],
    tools: Tools,
) -> list[Problem]:
    problems = [*result.problems, *tools.check(before, result, changes)]
    # Rules prove on facts, and there are none about files that do not even parse.
    if problems:
        return problems
    # The facts of the result are worked out only where a rule asks for them.
    proving = [rule for rule in rules if _proves(rule)]
    if proving:
        after = tools.project(result.snapshot, None)
        for rule in proving:
            mine = [change for change in changes if change.rule == rule.name]
            problems.extend(_prove(rule, before, after, mine) if mine else ())
    return problems


def _proves(rule: Rule) -> bool:
    kind = type(rule)
    return kind.prove is not Rule.prove or kind.prove_against is not Rule.prove_against


def _prove(
    rule: Rule, before: Snapshot, after: Project, changes: Sequence[Change]
) -> list[Problem]:
    try:
        return list(rule.prove_against(before, after, changes))
    except Exception as error:  # noqa: BLE001  what cannot be proved is not made
        what = f"internal error in {rule.name}: {type(error).__name__}: {error}"
        place = Place(next(iter(changes[0].paths), ""), Span(0, 0))
        return [Problem(place, what, tuple(change.id for change in changes))]


def _note_touched(
    change: Change, at: Mapping[SiteId, str], touched: dict[str, set[SiteId]]
) -> None:
    """Note for each file the sites that are or edit there; ``at`` gives their places.

    Not all of a change: one of a whole program has thousands of sites in hundreds of files.
    """
    for path in change.paths:
        touched.setdefault(path, set())
    for edit in change.edits:
        if hasattr(edit, "path"):
            touched[edit.path].add(edit.site)
    edited = set(change.paths)
    for site in change.sites:
        path = at.get(site, "")
        if path in edited:
            touched[path].add(site)


def _plan_again(
    rules: Sequence[Rule], tools: Tools, policy: Policy, so_far: _SoFar
) -> frozenset[str]:
    """Return the names of rules that would change their own, or another rule's, result again.

    Only files that changed are looked at: elsewhere nothing is new. Sites whose change was not
    made the first time are known by rule and place on disk.
    """
    if not so_far.changes:
        return frozenset()
    made = {change.id for change in so_far.changes}
    decided = [
        finding
        for finding in so_far.findings
        if finding.change is None or finding.change not in made
    ]
    decided += [suppressed_site.finding for suppressed_site in so_far.suppressed]
    stand, rewritten = standing(decided, so_far.maps), rewritten_places(so_far.maps)
    changed_files = so_far.changed_files()
    project = tools.project(so_far.snapshot, changed_files)
    planner = tools.planner("again", so_far.snapshot)
    # Whether foreign code has more to say to what it wrote itself is not ours to prove. Where
    # nothing was changed since a rule planned, it would give the same again.
    trusted = [
        rule
        for rule in rules
        if rule.name not in so_far.distrusted
        and not rule.is_foreign
        and so_far.planned[rule.name] is not so_far.snapshot
    ]
    planned = [
        _plan_with_suppressions(
            rule,
            project.with_site_scope(_files_in_scope(changed_files, tools.scope_of(rule))),
            _knowing(stand, rewritten, rule, policy),
            planner,
            so_far,
        )
        for rule in trusted
    ]
    suppressed = {site: item for _, sites in planned for site, item in sites.items()}
    findings = [
        msgspec.structs.replace(finding, place=so_far.on_disk(finding.place))
        for plan, sites in planned
        for finding in (*plan.findings, *(site.finding for site in sites.values()))
    ]
    excluded = policy.constraints.excluded | seen_before(findings, decided, stand)
    constraints = msgspec.structs.replace(policy.constraints, excluded=excluded)
    changes = [change for plan, _ in planned for change in plan.changes]
    wanted, _ = apply_policy(
        changes, msgspec.structs.replace(policy, constraints=constraints), suppressed
    )
    again = {change.id for change in wanted}
    spans: dict[str, list[Span]] = {}
    for finding in findings:
        if finding.change in again:
            spans.setdefault(finding.place.path, []).append(finding.place.span)
    guilty = {change.rule for change in wanted}
    guilty.update(
        finding.rule
        for finding in so_far.findings
        if finding.change in made
        and any(finding.place.span.overlaps(span) for span in spans.get(finding.place.path, ()))
    )
    return frozenset(guilty)


def _files_in_scope(files: frozenset[str], scope: frozenset[str] | None) -> frozenset[str]:
    return files if scope is None else files & scope


def _knowing(
    stand: Mapping[Finding, Place], rewritten: frozenset[Place], rule: Rule, policy: Policy
) -> Policy:
    """Return ``policy`` with the sites of ``rule`` that need no second plan named as decided."""
    decided = frozenset(place for finding, place in stand.items() if finding.rule == rule.name)
    constraints = msgspec.structs.replace(policy.constraints, decided=decided, rewritten=rewritten)
    return msgspec.structs.replace(policy, constraints=constraints)


def _without_rules(
    guilty: frozenset[str], snapshot: Snapshot, rules: Sequence[Rule], tools: Tools, policy: Policy
) -> Outcome:
    names = " and ".join(sorted(guilty))
    what = "planning again after the last phase still gives changes"
    why = Rejection.because(UNDONE_BY_ANOTHER_RULE, rules=names)
    rejected = {**policy.rejected_rules, **dict.fromkeys(guilty, why)}
    # From the beginning, without them: plans on their results would not hold. It ends, for each
    # time fewer rules make changes.
    outcome = run_phases(
        snapshot, rules, tools, msgspec.structs.replace(policy, rejected_rules=rejected)
    )
    diagnostic = internal_error(names, what)
    return msgspec.structs.replace(outcome, diagnostics=(diagnostic, *outcome.diagnostics))

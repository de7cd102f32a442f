"""The planning of one project root: the phases over its files, what they need, their answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, structs

from awaken.contract import (
    Change,
    Constraints,
    Finding,
    Outline,
    Place,
    Problem,
    Requirement,
    SiteId,
    Span,
)
from awaken.engine.manifests.editable import path_below
from awaken.engine.planning.checks import check
from awaken.engine.planning.engine_reasons import NEEDS_OTHER_VERSIONS, Rejection
from awaken.engine.planning.in_memory import EditedSnapshot, Processing, apply_in_memory
from awaken.engine.planning.phases import NeedsAllSites, Outcome, Tools, run_phases
from awaken.engine.planning.policy import Policy
from awaken.engine.planning.rule_planning import PlainPlanner, Processes
from awaken.engine.remembering.evidence import Evidence, evidence_for
from awaken.engine.remembering.summary_store import summary_store
from awaken.engine.report import ChangeSummary, FileChange, LeftToDo, Remembered
from awaken.engine.rewriting.rewritten import KnownRewritings, LoadedRewriters, RewritersFailed
from awaken.engine.root_run import RootRun, Surroundings, entries_about, unmet_need
from awaken.engine.suppressing.suppressed import SuppressionSources, advise
from awaken.engine.units.known_units import Rewritings, UnitMemory
from awaken.engine.units.unit_planning import unit_planner
from awaken.engine.waiting_sites import told_findings
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.looked_at import LookedAt
from awaken.project.source.memo import RECORDER
from awaken.project.store.summaries import Store
from awaken.settings.settings_files import names_nothing
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import Snapshot, SourceFile


class StagedRun(Struct, frozen=True):
    """How the run of one root came to its result."""

    outcome: Outcome
    tools: Tools


Observer = Callable[[Path, StagedRun], None]
"""Is told how the run of a root came to its result."""


class PlannedRoot(Struct, frozen=True):
    """The answer to what was asked of one root, how the run came to it, and what proves it."""

    answer: Remembered
    staged: StagedRun
    evidence: Evidence


def plan_root(
    asked: RootRun,
    files: Mapping[str, SourceFile],
    surroundings: Surroundings,
    units: UnitMemory | None = None,
) -> PlannedRoot:
    """Run all phases over ``files``, those of one project root; nothing is written.

    Plans of ``units`` that still hold are not made again.
    """
    kept = asked.projects[0].store if asked.projects else None
    store = kept or summary_store(asked.settings.cache_dir, use=asked.use_cache)
    scope = asked.site_scope(files, surroundings.suppression_sources.changed)
    tools = _tools(asked, surroundings, store, scope, units)
    with RECORDER.separate_record() as record:
        _require_known_names(asked, files, tools)
        try:
            outcome = _phases(asked, files, surroundings, tools)
        except NeedsAllSites:
            tools = _tools(asked, surroundings, store, None, units)
            outcome = _phases(asked, files, surroundings, tools)
    tools.looked_at.add(LookedAt.of_record(record))
    store.save()
    answer = _answer(outcome, asked, surroundings, tools.site_scope)
    shown, text = answer.files_shown(), answer.encoded_text()
    evidence = evidence_for(shown, text, surroundings.made_from, files, tools.looked_at)
    return PlannedRoot(answer, StagedRun(outcome, tools), evidence)


def _require_known_names(asked: RootRun, files: Mapping[str, SourceFile], tools: Tools) -> None:
    """Raise UserError, with the places, for options that name what the program does not have."""
    settings = asked.settings
    wrong = [
        (("rules", rule.name, *path), message)
        for rule in asked.running_rules()
        if (options := settings.options.get(rule.name)) is not None
        for path, message in rule.wrong_options(tools.project(Snapshot(files), None), options)
    ]
    if wrong:
        raise names_nothing(settings, wrong)


def _phases(
    asked: RootRun, files: Mapping[str, SourceFile], surroundings: Surroundings, tools: Tools
) -> Outcome:
    rules, suppression_sources = asked.running_rules(), surroundings.suppression_sources
    policy = _policy(asked, files, _rejections(rules, surroundings.targets))
    outcome = run_phases(
        Snapshot(files),
        rules,
        tools,
        structs.replace(policy, suppression_sources=suppression_sources),
    )
    scope = tools.site_scope
    advice, suppressed = advise(
        suppression_sources,
        outcome.before.limited_to(scope),
        outcome.suppressed,
        frozenset(rule.name for rule in rules),
        outcome.diagnostics,
    )
    findings, outlines = told_findings(
        rules, outcome.findings, outcome.outlines, {change.id for change in outcome.pending}
    )
    return structs.replace(
        outcome,
        findings=tuple(sorted((*findings, *advice), key=lambda finding: finding.place)),
        outlines=outlines,
        suppressed=tuple(
            sorted((*outcome.suppressed, *suppressed), key=lambda item: item.finding.place)
        ),
    )


def _answer(
    outcome: Outcome, asked: RootRun, surroundings: Surroundings, scope: frozenset[str] | None
) -> Remembered:
    root = asked.found.root
    locks = surroundings.project_settings.locks
    selected = [finding for finding in outcome.findings if root.selects(finding.place.path)]
    quiet = _quiet(selected, asked.running_rules(), surroundings.targets)
    findings = tuple(finding for finding in selected if finding.site not in quiet)
    shown = {finding.change for finding in findings}
    return Remembered(
        digest=surroundings.digest,
        findings=findings,
        explained_only=tuple(quiet.values()),
        changes=tuple(_summary(change, outcome) for change in outcome.changes),
        pending=tuple(
            _summary(change, outcome) for change in outcome.pending if change.id in shown
        ),
        files=_file_changes(outcome),
        sources=_named_sources(outcome),
        suppressed=tuple(one for one in outcome.suppressed if root.selects(one.finding.place.path)),
        unmatched=_unmatched_number(outcome, asked, surroundings.suppression_sources, scope),
        diagnostics=outcome.diagnostics,
        left_to_do=(*outcome.left_to_do, *_stale_locks(outcome, locks)),
        outlines=_outlines(outcome, findings),
        edited=outcome.edited,
        edits_left_out=outcome.edits_left_out,
    )


def _outlines(outcome: Outcome, findings: Iterable[Finding]) -> tuple[Outline, ...]:
    """Return the outlines of what is shown: a change of which no site is selected is not."""
    selected = {finding.site for finding in findings}
    return tuple(outline for outline in outcome.outlines if not selected.isdisjoint(outline.sites))


def _unmatched_number(
    outcome: Outcome,
    asked: RootRun,
    suppression_sources: SuppressionSources,
    scope: frozenset[str] | None,
) -> int:
    """Return how many entries of the baseline, about files in ``scope``, match no site."""
    baseline = suppression_sources.baseline
    if baseline is None:
        return 0
    findings = (*outcome.findings, *(site.finding for site in outcome.suppressed))
    matched = {baseline.entry_of(finding) for finding in findings}
    unread = frozenset(diagnostic.path for diagnostic in outcome.diagnostics)
    return len(set(entries_about(baseline, asked, unread, scope)) - matched)


_LOCKING = {
    "uv.lock": ("pyproject.toml", "uv lock"),
    "poetry.lock": ("pyproject.toml", "poetry lock"),
    "pdm.lock": ("pyproject.toml", "pdm lock"),
    "Pipfile.lock": ("Pipfile", "pipenv lock"),
}
"""The manifest that a lock file is made of, and by which command."""


def _stale_locks(outcome: Outcome, locks: Sequence[str]) -> Iterator[LeftToDo]:
    """Yield the lock files that do not know a requirement that was added."""
    requiring = tuple(
        change.id
        for change in outcome.changes
        if any(isinstance(edit, Requirement) for edit in change.edits)
    )
    for lock in locks if requiring else ():
        folder, _, name = lock.rpartition("/")
        beside, command = _LOCKING[name]
        manifest = path_below(folder, beside)
        if folder:
            command = f"cd {shlex.quote(folder)} && {command}"
        if outcome.after.get(manifest) != outcome.before.get(manifest):
            why = f"it does not contain the new requirements of {manifest}"
            yield LeftToDo(lock, 0, "", "", why, requiring, command)


def _summary(change: Change, outcome: Outcome) -> ChangeSummary:
    # A key that could not be set leaves its file as it is.
    left = {candidate.path for candidate in outcome.left_to_do if change.id in candidate.changes}
    paths = {path for path in change.paths if path not in left or path in change.needed_paths}
    return ChangeSummary(
        id=change.id,
        rule=change.rule,
        title=change.title,
        level=change.level,
        sites=change.sites,
        requires=change.requires,
        paths=tuple(sorted(paths)),
    )


def _rejections(rules: Sequence[Rule], targets: Targets) -> dict[str, Rejection]:
    return {
        rule.name: Rejection.because(NEEDS_OTHER_VERSIONS, unmet=str(unmet))
        for rule in rules
        if (unmet := unmet_need(rule, targets)) is not None
    }


def _quiet(
    findings: Iterable[Finding], rules: Sequence[Rule], targets: Targets
) -> dict[SiteId, Finding]:
    """Return the reasons that need no action at their place, by site: a note, or nothing."""
    rejected = _rejections(rules, targets)
    settled = {
        item.full_code(rule.name) for rule in rules for item in rule.reasons if item.asks_nothing
    }
    quiet: dict[SiteId, Finding] = {}
    for finding in findings:
        why = rejected.get(finding.rule)
        if why is not None:
            # The versions come first, before other obstacles.
            told = {"reason": why.code, "message": why.message, "help": why.help}
            quiet[finding.site] = structs.replace(finding, **told)
        elif finding.reason in settled:
            quiet[finding.site] = finding
    return quiet


def _no_rewriters(rule: str, error: Exception, changes: Sequence[Change]) -> Problem:
    own = [change for change in changes if change.rule == rule]
    path = next(iter(own[0].paths), "")
    what = " ".join(f"internal error in {rule}: {type(error).__name__}: {error}".split())
    return Problem(Place(path, Span(0, 0)), what, tuple(change.id for change in own))


def _tools(
    asked: RootRun,
    surroundings: Surroundings,
    store: Store,
    site_scope: frozenset[str] | None,
    units: UnitMemory | None,
) -> Tools:
    targets, formatter = surroundings.targets, surroundings.formatter
    rules = asked.running_rules()
    rewriters = LoadedRewriters({rule.name: rule.rewriters for rule in rules})
    own = {rule.name for rule in rules if type(rule).__module__.startswith("awaken.codemods.")}
    known = KnownRewritings() if units is None else Rewritings(units.cache, own)
    looked_at = LookedAt()
    # Each project reuses what the one before read of files that are still the same.
    projects = asked.projects

    def make(snapshot: Snapshot, changes: Sequence[Change]) -> EditedSnapshot:
        edited = {path for change in changes for path in change.paths}
        looked_at.read.update(edited)
        processing = Processing(asked.jobs, asked.progress, None, known, looked_at)
        for project in projects:
            layout, parsed = project.layout, project.module_of
            processing = structs.replace(processing, layout=layout, parsed=parsed)
        try:
            return apply_in_memory(snapshot, changes, rewriters, formatter, processing)
        except RewritersFailed as failed:
            problem = _no_rewriters(failed.rule, failed.error, changes)
            return EditedSnapshot(snapshot, {}, (problem,))
        finally:
            for project in projects:
                # The trees of what is edited are of no use to the next one.
                project.give_up(edited)

    # The searches of all rules are combined.
    sought = [word for rule in rules for words in (rule.triggers, *rule.anchors) for word in words]

    def know(snapshot: Snapshot, scope: frozenset[str] | None) -> Project:
        scope = site_scope if scope is None else scope
        earlier = projects[0] if projects else None
        is_own = earlier is not None and earlier.looked_at is looked_at
        if earlier is not None and is_own and earlier.is_of(snapshot):
            # Nothing was changed: all that is known of the program still holds.
            return earlier.with_site_scope(scope)
        settings = surroundings.project_settings
        project = Project(snapshot, targets, earlier, looked_at, settings, store)
        if units is not None and not is_own:
            project.know(units.known_searches(snapshot))
        projects[:] = [project.with_site_scope(scope)]
        # The facts of the earlier one go before the next one learns as much.
        del earlier
        projects[0].collect()
        projects[0].files_with(sought)
        return projects[0]

    processes = Processes(asked.jobs, asked.progress)
    plain = PlainPlanner(processes)
    return Tools(
        project=know,
        apply_in_memory=make,
        check=partial(check, lowest_python=targets.lowest_python),
        planner=(
            (lambda stage, snapshot: plain)  # noqa: ARG005
            if units is None
            else partial(unit_planner, units, processes)
        ),
        looked_at=looked_at,
        site_scope=site_scope,
        scope_of=lambda rule: asked.scope_of(rule, site_scope),
        stays_within=lambda rules, snapshot: (
            site_scope is None or asked.stays_within(site_scope, rules, snapshot)
        ),
    )


def _policy(
    asked: RootRun, files: Mapping[str, SourceFile], rejected: Mapping[str, Rejection]
) -> Policy:
    root = asked.found.root
    scope = None
    if "." not in root.selected:
        scope = frozenset(path for path in files if root.selects(path))
    return Policy(
        constraints=Constraints(excluded=asked.excluded, write_scope=scope),
        options=asked.settings.options,
        unsafe_at=asked.settings.unsafe_at,
        may_write=root.selects,
        rejected_rules=rejected,
    )


def _file_changes(outcome: Outcome) -> tuple[FileChange, ...]:
    made = {change.id for change in outcome.changes}
    order = {f.site: at for at, f in enumerate(outcome.findings) if f.change in made}
    changed = []
    for path in sorted(outcome.after):
        before, after = outcome.before.get(path), outcome.after[path]
        if before is not None and before.text == after.text:  # later phases took it back
            continue
        touching = sorted(order[site] for site in outcome.touched.get(path, ()) if site in order)
        findings = tuple(outcome.findings[at] for at in touching)
        changed.append(FileChange(path, before, after, findings))
    return tuple(changed)


def _named_sources(outcome: Outcome) -> dict[str, SourceFile]:
    findings = (*outcome.findings, *(site.finding for site in outcome.suppressed))
    named = {place.path for finding in findings for place in (finding.place, *finding.related)}
    rows = (row for outline in outcome.outlines for part in outline.parts for row in part.rows)
    named.update(row.place.path for row in rows if row.place is not None)
    named.update(site.place.path for site in outcome.suppressed if site.place is not None)
    return {path: source for path in sorted(named) if (source := outcome.before.get(path))}

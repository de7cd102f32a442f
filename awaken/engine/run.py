"""Runs the chosen rules over one project root: reads its files, runs the phases, reports."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from awaken.contract import Change, Constraints, Place, Problem, Rewriter, SiteId, Span
from awaken.engine.formatting.formatter import Formatter, detect
from awaken.engine.manifests.requirements import MANIFESTS
from awaken.engine.planning.checks import check
from awaken.engine.planning.engine_reasons import NEEDS_OTHER_VERSIONS, Rejection
from awaken.engine.planning.in_memory import EditedSnapshot, apply_in_memory
from awaken.engine.planning.phases import Outcome, Tools, run_phases
from awaken.engine.planning.policy import Policy
from awaken.engine.planning.rule_discovery import in_running_order
from awaken.engine.progress import READING, Progress, counted, silent
from awaken.engine.remembering.remembered import Memory, Remembered, digest_of
from awaken.engine.report import (
    BaselineUse,
    ChangeSummary,
    Diagnostic,
    FileChange,
    RootReport,
    TargetVersion,
)
from awaken.engine.suppressing.baseline import DEFAULT_NAME, Baseline, BaselineEntry, read_baseline
from awaken.engine.suppressing.changed_lines import changed_lines
from awaken.engine.suppressing.suppressed import SuppressionSources
from awaken.engine.suppressing.unused_suppressions import advise
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.settings import Resolved
from awaken.settings.model import COMMAND_LINE
from awaken.settings.selection import UNUSED_SUPPRESSION
from awaken.workspace.discovery import Found, read_files
from awaken.workspace.manifests.targets import Targets, read_targets
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, read_named
from awaken.workspace.sources import Snapshot, SourceFile, Undecodable, decode_settings


class RootRun(Struct, frozen=True, kw_only=True):
    """What one root's run is asked to do; ``rules`` are those to choose from.

    ``sites_in`` names files: rules look for sites there only, as far as their plans allow that;
    None means all. The other fields are those of ``awaken.api.Options``.
    """

    found: Found
    settings: Resolved
    rules: tuple[Rule, ...]
    since: str | None = None
    overlay: Mapping[Path, bytes] = {}
    excluded: frozenset[SiteId] = frozenset()
    jobs: int | None = None
    use_cache: bool = True
    new_baseline: bool = False
    sites_in: frozenset[str] | None = None
    progress: Progress = silent

    def chosen(self) -> tuple[Rule, ...]:
        """Return the rules that run here, in the order in which they do."""
        return in_running_order(rule for rule in self.rules if rule.name in self.settings.rules)

    def site_scope(self) -> frozenset[str] | None:
        """Return ``sites_in`` where the result for these files does not depend on other sites."""
        return self.sites_in if all(rule.per_file for rule in self.chosen()) else None


class StagedRun(Struct, frozen=True):
    """How the run of one root came to its result."""

    outcome: Outcome
    tools: Tools


Observer = Callable[[Path, StagedRun], None]
"""Is told how the run of a root came to its result."""


def run_root(asked: RootRun, observer: Observer | None = None) -> RootReport:
    """Run the rules over one project root; nothing is written.

    With a ``observer`` nothing is recalled: there is always something to tell it.
    """
    started = time.perf_counter()
    root, rules = asked.found.root, asked.chosen()
    suppression_sources = _suppression_sources(asked)
    paths = counted(asked.found.files, READING, asked.progress)
    files, unread = read_files(root.path, paths, given=_overlaid(asked))
    files.update(_manifests(root.path))
    targets = targets_of(root.path, asked.settings)
    formatter = detect(root.path)
    # The digest of what makes a result covers awaken's own code, and no plug-in's. Nor is a result
    # remembered that is about a part of the sites.
    own = all(type(rule).__module__.startswith("awaken.") for rule in rules)
    whole = asked.site_scope() is None
    memory = Memory(root.path, asked.settings.cache_dir, use=asked.use_cache and own and whole)
    question = digest_of(_question(asked), {})
    made_from = [targets.all(), formatter.fingerprint(files), suppression_sources.fingerprint()]
    digest = digest_of(made_from, files)
    answer = memory.recall(question, digest, files) if observer is None else None
    if answer is None:
        tools = _tools(asked, rules, targets, formatter)
        outcome = _phases(asked, files, targets, tools, suppression_sources)
        if observer is not None:
            observer(root.path, StagedRun(outcome, tools))
        answer = _answer(outcome, asked, digest, suppression_sources)
        # The same bytes give the same diagnostics, but for what awaken itself could not do.
        if not any(one.internal for one in answer.diagnostics):
            memory.keep(question, answer)
    problems = tuple(
        Diagnostic(problem.path, problem.line, problem.message)
        for problem in (*asked.found.problems, *unread, *targets.problems)
    )
    unusable = frozenset(problem.path for problem in (*problems, *answer.diagnostics))
    return RootReport(
        root=root.path,
        targets=_target_versions(targets),
        findings=answer.findings,
        changes=answer.changes,
        pending=answer.pending,
        files=answer.files,
        sources=answer.sources,
        diagnostics=(*problems, *answer.diagnostics),
        files_read=len(asked.found.files),
        seconds=time.perf_counter() - started,
        notes=(
            *_unmet_notes(rules, targets),
            *_baseline_notes(suppression_sources, answer.unmatched),
        ),
        suppressed=answer.suppressed,
        baseline=_baseline_use(asked, suppression_sources, unusable),
    )


def _unmet_notes(rules: Sequence[Rule], targets: Targets) -> list[str]:
    return [
        f"{rule.name} rewrites nothing here: {unmet}; raise the requirement, "
        "or name the version in use with --target"
        for rule in rules
        if (unmet := unmet_need(rule, targets)) is not None
    ]


def _suppression_sources(asked: RootRun) -> SuppressionSources:
    """Return what holds sites of this root back. Raises UserError."""
    root, settings = asked.found.root.path, asked.settings
    file = _baseline_file(asked)
    # A file that the user named may lie anywhere; one that a project's settings name, only inside.
    read = read_named if settings.says_user("baseline") else enclosure_of(root).read
    expected = settings.baseline is not None and not asked.new_baseline
    return SuppressionSources(
        asked.rules,
        settings.ignored,
        read_baseline(file, root, read) if expected or file.exists() else None,
        None if asked.since is None else changed_lines(root, asked.since, asked.overlay),
    )


def _baseline_file(asked: RootRun) -> Path:
    return asked.settings.baseline or asked.found.root.path / DEFAULT_NAME


def _baseline_use(
    asked: RootRun, suppression_sources: SuppressionSources, unread: frozenset[str]
) -> BaselineUse:
    origin = asked.settings.origins.get("baseline", "")
    named = origin == COMMAND_LINE or origin.startswith("--config")
    if suppression_sources.baseline is None:
        return BaselineUse(_baseline_file(asked), named=named)
    concerned = set(_concerned(suppression_sources.baseline, asked, unread))
    kept = (entry for entry in suppression_sources.baseline.entries if entry not in concerned)
    return BaselineUse(suppression_sources.baseline.file, tuple(kept), named)


def _concerned(
    baseline: Baseline, asked: RootRun, unread: frozenset[str]
) -> tuple[BaselineEntry, ...]:
    ran = frozenset((*asked.settings.rules, UNUSED_SUPPRESSION))
    root = asked.found.root
    # A project inside has its own run, which says what became of its entries.
    others = [f"{os.path.relpath(one.path, root.path)}/" for one in asked.found.nested]
    return baseline.concerns(
        ran,
        lambda path: root.selects(path) and not path.startswith(tuple(others)),
        unread,
    )


def _baseline_notes(suppression_sources: SuppressionSources, unmatched: int) -> list[str]:
    if suppression_sources.baseline is None or not unmatched:
        return []
    file = suppression_sources.baseline.file
    option = "" if file.name == DEFAULT_NAME else f" --baseline {os.path.relpath(file)}"
    entries = "1 entry" if unmatched == 1 else f"{unmatched} entries"
    gone = f"{entries} of {file.name} {'matches' if unmatched == 1 else 'match'} nothing any more"
    return [f"{gone}; write it again with awaken check --write-baseline{option}"]


def targets_of(root: Path, settings: Resolved) -> Targets:
    """Return the targets of the project in ``root``, its settings and where they stand told."""
    return read_targets(root, settings.target_version, settings.target, settings.target_origins())


def _overlaid(asked: RootRun) -> dict[str, bytes]:
    """Return the bytes that stand for files of this root, by project-relative path."""
    root = asked.found.root.path
    return {
        path.relative_to(root).as_posix(): content
        for path, content in asked.overlay.items()
        if path.is_relative_to(root)
    }


def _question(asked: RootRun) -> tuple[object, ...]:
    """Return all that decides the result beside the files and their versions."""
    return (
        asked.settings.rules,
        asked.settings.unsafe_fixes,
        msgspec.to_builtins(asked.settings.options, order="deterministic", enc_hook=repr),
        asked.settings.overrides,
        asked.settings.baseline,
        asked.since,
        sorted(asked.excluded),
        asked.found.root.selected,
    )


def _phases(
    asked: RootRun,
    files: Mapping[str, SourceFile],
    targets: Targets,
    tools: Tools,
    suppression_sources: SuppressionSources,
) -> Outcome:
    rules = asked.chosen()
    policy = _policy(asked, files, _rejected(rules, targets))
    outcome = run_phases(
        Snapshot(files),
        rules,
        tools,
        structs.replace(policy, suppression_sources=suppression_sources),
    )
    advice, suppressed = advise(
        suppression_sources,
        outcome.before,
        outcome.suppressed,
        frozenset(rule.name for rule in rules if asked.site_scope() is None),
        outcome.diagnostics,
    )
    return structs.replace(
        outcome,
        findings=tuple(sorted((*outcome.findings, *advice), key=lambda found: found.place)),
        suppressed=tuple(
            sorted((*outcome.suppressed, *suppressed), key=lambda one: one.finding.place)
        ),
    )


def _answer(
    outcome: Outcome, asked: RootRun, digest: bytes, suppression_sources: SuppressionSources
) -> Remembered:
    root = asked.found.root
    findings = tuple(f for f in outcome.findings if root.selects(f.place.path))
    shown = {finding.change for finding in findings}
    return Remembered(
        digest=digest,
        findings=findings,
        changes=tuple(map(_summary, outcome.changes)),
        pending=tuple(_summary(change) for change in outcome.pending if change.id in shown),
        files=_file_changes(outcome),
        sources=_named_sources(outcome),
        suppressed=tuple(one for one in outcome.suppressed if root.selects(one.finding.place.path)),
        unmatched=_unmatched(outcome, asked, suppression_sources),
        diagnostics=outcome.diagnostics,
    )


def _unmatched(outcome: Outcome, asked: RootRun, suppression_sources: SuppressionSources) -> int:
    """Return how many entries of the baseline stand for nothing that was found."""
    baseline = suppression_sources.baseline
    if baseline is None or asked.site_scope() is not None:
        return 0
    found = (*outcome.findings, *(one.finding for one in outcome.suppressed))
    matched = {baseline.entry_of(finding) for finding in found}
    unread = frozenset(diagnostic.path for diagnostic in outcome.diagnostics)
    return len(set(_concerned(baseline, asked, unread)) - matched)


def _summary(change: Change) -> ChangeSummary:
    return ChangeSummary(
        id=change.id,
        rule=change.rule,
        title=change.title,
        level=change.level,
        sites=change.sites,
        requires=change.requires,
        paths=tuple(sorted(change.paths)),
    )


def _manifests(root: Path) -> dict[str, SourceFile]:
    """Return the manifests that a requirement can be added to, those that are text."""
    found = {}
    enclosure = enclosure_of(root)
    for name in MANIFESTS:
        with suppress(OSError, Undecodable):
            raw = enclosure.read(root / name, METADATA_LIMIT)
            found[name] = decode_settings(name, raw)
    return found


def unmet_need(rule: Rule, targets: Targets) -> str | None:
    """Return which versions ``rule`` needs that the targets do not promise, or None."""
    for name, versions in rule.needs.items():
        if not targets.guarantees(name, versions):
            target = targets.distribution(name)
            declared = f"{target.specifier} ({target.origin})" if target else "no version"
            return f"it needs {name}{versions}, and {declared} is declared"
    return None


def _rejected(rules: Sequence[Rule], targets: Targets) -> dict[str, Rejection]:
    return {
        rule.name: Rejection.because(NEEDS_OTHER_VERSIONS, unmet=unmet)
        for rule in rules
        if (unmet := unmet_need(rule, targets)) is not None
    }


def _target_versions(targets: Targets) -> tuple[TargetVersion, ...]:
    return tuple(TargetVersion(t.name, t.specifier, t.origin) for t in targets.origins())


def _no_rewriters(rule: str, error: Exception, changes: Sequence[Change]) -> Problem:
    own = [change for change in changes if change.rule == rule]
    path = next(iter(own[0].paths), "")
    what = " ".join(f"internal error in {rule}: {type(error).__name__}: {error}".split())
    return Problem(Place(path, Span(0, 0)), what, tuple(change.id for change in own))


def _tools(asked: RootRun, rules: Sequence[Rule], targets: Targets, formatter: Formatter) -> Tools:
    rewriters = {rule.name: rule.rewriters for rule in rules}
    loaded: dict[str, Mapping[str, Rewriter]] = {}

    def make(snapshot: Snapshot, changes: Sequence[Change]) -> EditedSnapshot:
        problems = []
        for name in sorted({change.rule for change in changes} - loaded.keys()):
            try:
                loaded[name] = rewriters[name]()
            except Exception as error:  # noqa: BLE001  a rule may fail in any way; the run goes on
                problems.append(_no_rewriters(name, error, changes))
        if problems:
            return EditedSnapshot(snapshot, {}, tuple(problems))
        return apply_in_memory(snapshot, changes, loaded, formatter, asked.progress)

    # Each project reuses what the one before read of files that are still the same.
    projects: list[Project] = []

    # What all rules search for is searched for at once.
    sought = [word for rule in rules for words in (rule.triggers, *rule.anchors) for word in words]

    def know(snapshot: Snapshot, scope: frozenset[str] | None) -> Project:
        scope = asked.site_scope() if scope is None else scope
        projects[:] = [Project(snapshot, targets, scope, projects[0] if projects else None)]
        projects[0].files_with(sought)
        return projects[0]

    return Tools(
        project=know,
        apply_in_memory=make,
        check=partial(check, lowest_python=targets.lowest_python),
        jobs=asked.jobs,
        progress=asked.progress,
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
    findings = (*outcome.findings, *(one.finding for one in outcome.suppressed))
    named = {place.path for finding in findings for place in (finding.place, *finding.related)}
    named.update(one.place.path for one in outcome.suppressed if one.place is not None)
    return {path: source for path in sorted(named) if (source := outcome.before.get(path))}

"""Runs the chosen rules over one project root: reads its files, runs the phases, reports."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from awaken.contract import Change, Pins, Rewriter, Rule, SiteId
from awaken.engine.checks import check
from awaken.engine.formatter import detect
from awaken.engine.materialise import Materialised, materialise
from awaken.engine.phases import Admission, Outcome, Tools, run_phases
from awaken.engine.report import Diagnostic, FileChange, RootReport, TargetVersion
from awaken.engine.requirements import MANIFESTS
from awaken.project import Project
from awaken.project.discovery import Found, read_files
from awaken.project.manifests import Targets, read_targets
from awaken.project.sources import Snapshot, SourceFile, Undecodable, decode_settings


class RootRun(Struct, frozen=True, kw_only=True):
    """What one root's run is asked to do."""

    found: Found
    rules: tuple[Rule, ...]
    python: str | None
    versions: Mapping[str, str]
    unsafe: bool
    left_out: frozenset[SiteId]
    jobs: int


def run_root(asked: RootRun) -> RootReport:
    """Run the rules over one project root; nothing is written."""
    root = asked.found.root
    started = time.perf_counter()
    files, unread = read_files(root.path, asked.found.files)
    files.update(_manifests(root.path))
    targets = read_targets(root.path, asked.python, asked.versions)
    rules = tuple(rule for rule in asked.rules if _meets_needs(rule, targets))
    outcome = run_phases(
        Snapshot(files),
        rules,
        _tools(asked, rules, targets),
        _admission(asked, files),
    )
    selected = [f for f in outcome.findings if root.selects(f.place.path)]
    problems = (*asked.found.problems, *unread, *targets.problems)
    return RootReport(
        root=root.path,
        targets=_target_versions(targets),
        findings=tuple(selected),
        changes=outcome.changes,
        pending=outcome.pending,
        files=_file_changes(outcome),
        sources=_named_sources(outcome),
        diagnostics=(
            *(Diagnostic(problem.path, problem.line, problem.message) for problem in problems),
            *outcome.diagnostics,
        ),
        files_read=len(asked.found.files),
        seconds=time.perf_counter() - started,
    )


def _manifests(root: Path) -> dict[str, SourceFile]:
    """Return the manifests that a requirement can be added to, those that are text."""
    found = {}
    for name in MANIFESTS:
        with suppress(OSError, Undecodable):
            found[name] = decode_settings(name, (root / name).read_bytes())
    return found


def _meets_needs(rule: Rule, targets: Targets) -> bool:
    return all(targets.guarantees(name, versions) for name, versions in rule.needs.items())


def _target_versions(targets: Targets) -> tuple[TargetVersion, ...]:
    return tuple(TargetVersion(t.name, t.specifier, t.origin) for t in targets.origins())


def _tools(asked: RootRun, rules: Sequence[Rule], targets: Targets) -> Tools:
    formatter = detect(asked.found.root.path)
    rewriters = {rule.name: rule.rewriters for rule in rules}
    loaded: dict[str, Mapping[str, Rewriter]] = {}

    def make(snapshot: Snapshot, changes: Sequence[Change]) -> Materialised:
        for name in {change.rule for change in changes} - loaded.keys():
            loaded[name] = rewriters[name]()
        return materialise(snapshot, changes, loaded, formatter)

    projects: list[Project] = []

    def know(snapshot: Snapshot, scope: frozenset[str] | None) -> Project:
        projects[:] = [Project(snapshot, targets, scope, projects[0] if projects else None)]
        return projects[0]

    return Tools(
        project=know,
        materialise=make,
        check=partial(check, lowest_python=targets.lowest_python),
        jobs=asked.jobs,
    )


def _admission(asked: RootRun, files: Mapping[str, SourceFile]) -> Admission:
    root = asked.found.root
    scope = None
    if "." not in root.selected:
        scope = frozenset(path for path in files if root.selects(path))
    return Admission(
        pins=Pins(left_out=asked.left_out, write_scope=scope),
        unsafe=asked.unsafe,
        may_write=root.selects,
    )


def _file_changes(outcome: Outcome) -> tuple[FileChange, ...]:
    made = {change.id for change in outcome.changes}
    changed = []
    for path in sorted(outcome.after):
        before, after = outcome.before.get(path), outcome.after[path]
        if before is not None and before.text == after.text:
            continue
        sites = outcome.touched.get(path, frozenset())
        findings = tuple(f for f in outcome.findings if f.change in made and f.site in sites)
        changed.append(FileChange(path, before, after, findings))
    return tuple(changed)


def _named_sources(outcome: Outcome) -> dict[str, SourceFile]:
    named = {
        place.path for finding in outcome.findings for place in (finding.place, *finding.chain)
    }
    return {path: source for path in sorted(named) if (source := outcome.before.get(path))}

"""A run that can show the effect of each of its changes alone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from awaken.contract import ByHand, Change, ChangeId, Edit, Finding, Place, Requirement, Span
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.engine.planning.phases import Stage
from awaken.engine.report import FileChange, Report
from awaken.engine.run import StagedRun
from awaken.workspace.sources import Snapshot

_NOWHERE = Span(0, 0)
_MANIFESTS = ""
"""Stands for the files that requirements are written to, which only the engine knows."""


class StagedReport:
    """The report of a run, and each of its changes by itself.

    A change is one of ``changes`` or ``pending`` of its root's report; all methods raise KeyError
    for one that is neither.
    """

    def __init__(self, report: Report, runs: Mapping[Path, StagedRun]) -> None:
        self.report = report
        self._runs = runs
        self._phases = {
            (root, change.id): number
            for root, run in runs.items()
            for number, stage in enumerate(run.outcome.stages)
            for change in stage.changes
        }
        self._planned = {
            (root, number): Planned(stage)
            for root, run in runs.items()
            for number, stage in enumerate(run.outcome.stages)
        }
        # Shown one after the other, each change starts from what the one before came to.
        self._made = lru_cache(maxsize=2)(self._make)

    def phase_of(self, root: Path, change: ChangeId) -> int:
        """Return the number of the phase that makes ``change``; the first one is 0."""
        return self._phases[root, change]

    def with_required(self, root: Path, change: ChangeId) -> tuple[ChangeId, ...]:
        """Return ``change`` and all changes that it requires, directly or not, as planned."""
        return _ids(self._plan_of_change(root, change).with_requirements([change]))

    def files_of(
        self, root: Path, change: ChangeId, made: Collection[ChangeId] = ()
    ) -> tuple[FileChange, ...]:
        """Return what ``change``, with the changes that it requires, does to files.

        It is made on the snapshot that its phase began with, after those of ``made`` that are of
        the same phase; findings are placed in the text ``before`` that the file change gives.
        Empty where the change alone passes no check, as one that was never made may do.
        """
        phase, planned = self.phase_of(root, change), self._plan_of_change(root, change)
        own = planned.with_requirements([change])
        # Changes of other files cannot show here, and each one made costs time.
        earlier = _changes_of_same_files(own, planned.with_requirements(made))
        before = self._made(root, phase, _ids(earlier))
        after = self._made(root, phase, _ids(planned.with_requirements([change, *_ids(earlier)])))
        if before is None or after is None:
            return ()
        return tuple(_differences(before, after, own, planned.findings_of(own)))

    def plan_of_phase(self, root: Path, phase: int) -> Planned:
        """Return what a phase of ``root`` planned."""
        return self._planned[root, phase]

    def made_together(self, root: Path, changes: Sequence[ChangeId]) -> EditedSnapshot | None:
        """Return ``changes`` of one phase, made on what it began with; None where that breaks."""
        return self._make(root, self.phase_of(root, changes[0]), tuple(changes))

    def identity(self, root: Path, change: ChangeId) -> bytes:
        """Return a digest of what ``change`` does; equal in another run if it does the same.

        Neither its id nor its line counts: both depend on what else the run does.
        """
        planned = self._plan_of_change(root, change)
        parts = [
            (item.rule, item.title, item.level, item.sites, *_contents(item, planned.before))
            for item in planned.with_requirements([change])
        ]
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).digest()

    def _plan_of_change(self, root: Path, change: ChangeId) -> Planned:
        return self._planned[root, self.phase_of(root, change)]

    def _make(self, root: Path, phase: int, chosen: tuple[ChangeId, ...]) -> EditedSnapshot | None:
        """Return the changes made on their phase's snapshot; None where a check finds a problem."""
        planned, tools = self._planned[root, phase], self._runs[root].tools
        changes = planned.with_requirements(chosen)
        result = tools.apply_in_memory(planned.before, changes)
        broken = result.problems or (changes and any(tools.check(planned.before, result, changes)))
        return None if broken else result


class Planned:
    """The plans of a phase, compared by identity: one is asked for each change."""

    def __init__(self, stage: Stage) -> None:
        self.before = stage.before
        self.changes = stage.changes
        self._findings = stage.findings
        self._change_at = {change.id: at for at, change in enumerate(stage.changes)}
        self._finding_at = {finding.site: at for at, finding in enumerate(stage.findings)}

    def with_requirements(self, chosen: Iterable[ChangeId]) -> list[Change]:
        """Return the changes that are chosen, or required by such, as they were planned."""
        wanted: set[int] = set()
        waiting = list(chosen)
        while waiting:
            at = self._change_at.get(waiting.pop())
            if at is not None and at not in wanted:
                wanted.add(at)
                waiting.extend(self.changes[at].requires)
        return [self.changes[at] for at in sorted(wanted)]

    def findings_of(self, changes: Iterable[Change]) -> list[Finding]:
        """Return the findings of the sites of ``changes``, as they were planned."""
        sites = {site for change in changes for site in change.sites}
        places = (self._finding_at[site] for site in sites if site in self._finding_at)
        return [self._findings[at] for at in sorted(places)]


def _ids(changes: Iterable[Change]) -> tuple[ChangeId, ...]:
    return tuple(change.id for change in changes)


def _changes_of_same_files(own: Sequence[Change], others: Sequence[Change]) -> list[Change]:
    """Return those of ``others`` that touch a file that ``own`` touch: no other one matters."""
    paths = {path for change in own for path in _paths(change)}
    return [change for change in others if not paths.isdisjoint(_paths(change))]


def _differences(
    before: EditedSnapshot,
    after: EditedSnapshot,
    own: Sequence[Change],
    findings: Sequence[Finding],
) -> Iterator[FileChange]:
    sites = {site: set(_paths(change)) for change in own for site in change.sites}
    for path in sorted({*before.maps, *before.created, *after.maps, *after.created}):
        old, new = before.snapshot.get(path), after.snapshot[path]
        if old is None or old.text != new.text:
            touching = [finding for finding in findings if path in sites.get(finding.site, ())]
            moved = tuple(_moved_finding(finding, before) for finding in touching)
            yield FileChange(path, old, new, moved)


def _moved_finding(finding: Finding, made: EditedSnapshot) -> Finding:
    related = tuple(_place_after(place, made) for place in finding.related)
    return structs.replace(finding, place=_place_after(finding.place, made), related=related)


def _place_after(place: Place, made: EditedSnapshot) -> Place:
    spans = made.maps.get(place.path)
    return structs.replace(place, span=spans.to_after(place.span)) if spans else place


def _contents(change: Change, before: Snapshot) -> Iterator[tuple[Edit, bytes]]:
    """Yield the edits of ``change``, each with the text that it replaces instead of its place."""
    for edit in change.edits:
        field = next((name for name in ("anchor", "at") if hasattr(edit, name)), None)
        if field is None or isinstance(edit, ByHand | Requirement):
            yield edit, b""
        else:
            span: Span = getattr(edit, field)
            text = before[edit.path].text[span.start : span.end]
            yield structs.replace(edit, **{field: _NOWHERE}), text


def _paths(change: Change) -> set[str]:
    return {getattr(edit, "path", _MANIFESTS) for edit in change.edits}

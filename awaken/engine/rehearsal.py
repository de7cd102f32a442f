"""A run that keeps what is needed to show any one of its changes: what it would do alone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from awaken.contract import Change, ChangeId, Edit, Finding, Place, Requirement, Span
from awaken.engine.materialise import Materialised
from awaken.engine.phases import Stage
from awaken.engine.report import FileChange, Report
from awaken.engine.run import StagedRun
from awaken.project.sources import Snapshot

_NOWHERE = Span(0, 0)
_MANIFESTS = ""
"""Stands for the files that requirements are written to, which only the engine knows."""


class Rehearsal:
    """The report of a run, and each of its changes by itself.

    A change is one of ``changes`` or ``pending`` of its root's report; all methods raise KeyError
    for one that is neither.
    """

    def __init__(self, report: Report, runs: Mapping[Path, StagedRun]) -> None:
        self.report = report
        self._runs = runs
        # Shown one after the other, each change starts from what the one before came to.
        self._made = lru_cache(maxsize=2)(self._make)

    def phase_of(self, root: Path, change: ChangeId) -> int:
        """Return the number of the phase that makes ``change``; the first one is 0."""
        for number, stage in enumerate(self._runs[root].outcome.stages):
            if any(one.id == change for one in stage.changes):
                return number
        raise KeyError(change)

    def with_required(self, root: Path, change: ChangeId) -> tuple[ChangeId, ...]:
        """Return ``change`` and all changes that it requires, directly or not, as planned."""
        return _ids(_closed([change], self._stage(root, change).changes))

    def files_of(
        self, root: Path, change: ChangeId, made: Collection[ChangeId] = ()
    ) -> tuple[FileChange, ...]:
        """Return what ``change``, with the changes that it requires, does to files.

        It is made on the snapshot that its phase began with, after those of ``made`` that are of
        the same phase; findings are placed in the text ``before`` that the file change gives.
        Empty where the change alone passes no check, as one that was never made may do.
        """
        phase = self.phase_of(root, change)
        stage = self._runs[root].outcome.stages[phase]
        own = _closed([change], stage.changes)
        earlier = _beside(own, _closed(made, stage.changes))
        before = self._made(root, phase, _ids(earlier))
        after = self._made(root, phase, _ids(_closed([change, *_ids(earlier)], stage.changes)))
        if before is None or after is None:
            return ()
        return tuple(_differences(before, after, own, stage.findings))

    def identity(self, root: Path, change: ChangeId) -> bytes:
        """Return a digest of what ``change`` does; equal in another run if it does the same.

        Neither its id nor its line counts: both depend on what else the run does.
        """
        stage = self._stage(root, change)
        parts = [
            (one.rule, one.title, one.level, one.sites, *_contents(one, stage.before))
            for one in _closed([change], stage.changes)
        ]
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).digest()

    def _stage(self, root: Path, change: ChangeId) -> Stage:
        return self._runs[root].outcome.stages[self.phase_of(root, change)]

    def _make(self, root: Path, phase: int, chosen: tuple[ChangeId, ...]) -> Materialised | None:
        """Return the changes made on their phase's snapshot; None where a check finds a problem."""
        stage, tools = self._runs[root].outcome.stages[phase], self._runs[root].tools
        changes = _closed(chosen, stage.changes)
        result = tools.materialise(stage.before, changes)
        broken = result.problems or (changes and any(tools.check(stage.before, result, changes)))
        return None if broken else result


def _ids(changes: Iterable[Change]) -> tuple[ChangeId, ...]:
    return tuple(change.id for change in changes)


def _closed(chosen: Iterable[ChangeId], changes: Sequence[Change]) -> list[Change]:
    """Return those of ``changes`` that are chosen, or required by such, in their order."""
    by_id = {change.id: change for change in changes}
    wanted: set[ChangeId] = set()
    waiting = list(chosen)
    while waiting:
        one = by_id.get(waiting.pop())
        if one is not None and one.id not in wanted:
            wanted.add(one.id)
            waiting.extend(one.requires)
    return [change for change in changes if change.id in wanted]


def _beside(own: Sequence[Change], others: Sequence[Change]) -> list[Change]:
    """Return those of ``others`` that touch a file that ``own`` touch: no other one matters."""
    paths = {path for change in own for path in _paths(change)}
    return [change for change in others if not paths.isdisjoint(_paths(change))]


def _differences(
    before: Materialised, after: Materialised, own: Sequence[Change], findings: Sequence[Finding]
) -> Iterator[FileChange]:
    sites = {site: set(_paths(change)) for change in own for site in change.sites}
    for path in sorted({*before.maps, *before.created, *after.maps, *after.created}):
        old, new = before.snapshot.get(path), after.snapshot[path]
        if old is None or old.text != new.text:
            touching = [found for found in findings if path in sites.get(found.site, ())]
            moved = tuple(_moved(finding, before) for finding in touching)
            yield FileChange(path, old, new, moved)


def _moved(finding: Finding, made: Materialised) -> Finding:
    chain = tuple(_place_after(place, made) for place in finding.chain)
    return structs.replace(finding, place=_place_after(finding.place, made), chain=chain)


def _place_after(place: Place, made: Materialised) -> Place:
    spans = made.maps.get(place.path)
    return structs.replace(place, span=spans.to_after(place.span)) if spans else place


def _contents(change: Change, before: Snapshot) -> Iterator[tuple[Edit, bytes]]:
    """Yield the edits of ``change``, each with the text that it replaces instead of its place."""
    for edit in change.edits:
        field = next((name for name in ("anchor", "at") if hasattr(edit, name)), None)
        if field is None or isinstance(edit, Requirement):
            yield edit, b""
        else:
            span: Span = getattr(edit, field)
            text = before[edit.path].text[span.start : span.end]
            yield structs.replace(edit, **{field: _NOWHERE}), text


def _paths(change: Change) -> set[str]:
    return {getattr(edit, "path", _MANIFESTS) for edit in change.edits}

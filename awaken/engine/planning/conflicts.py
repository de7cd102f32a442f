"""The resolution of conflicts: changes that fail a check are dropped, with all that requires them.

A check that names no change leaves the search to bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from awaken.contract import Change, ChangeId, Problem
from awaken.engine.edits.file_slices import SizeProblem
from awaken.engine.planning.engine_reasons import (
    REQUIRES_REFUSED,
    ROLLED_BACK,
    TOO_LARGE,
    Rejection,
)
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.engine.report import Diagnostic
from awaken.workspace.sources import Snapshot

ApplyInMemory = Callable[[Snapshot, Sequence[Change]], EditedSnapshot]
FindProblems = Callable[[EditedSnapshot, Sequence[Change]], list[Problem]]


class Resolution(Struct, frozen=True):
    """The changes that pass together, the snapshot after them, and the rejected ones."""

    changes: tuple[Change, ...]
    result: EditedSnapshot
    rejected: dict[ChangeId, Rejection]
    diagnostics: tuple[Diagnostic, ...]


def resolve_conflicts(
    snapshot: Snapshot,
    changes: Sequence[Change],
    apply_in_memory: ApplyInMemory,
    find_problems: FindProblems,
) -> Resolution:
    """Apply ``changes`` to ``snapshot``, dropping guilty ones until no check finds a problem.

    The set only shrinks, so this ends. A change that a check rolled back costs a diagnostic: it
    is awaken's failure, never the user's. One of code that is too large costs none.
    """
    active = list(changes)
    rejected: dict[ChangeId, Rejection] = {}
    diagnostics: list[Diagnostic] = []

    def fails(some: Sequence[Change]) -> bool:
        return bool(some) and bool(find_problems(apply_in_memory(snapshot, some), some))

    while True:
        result = apply_in_memory(snapshot, active)
        problems = find_problems(result, active) if active else []
        if not problems:
            return Resolution(tuple(active), result, rejected, tuple(diagnostics))
        # A problem that names its changes may be the cause of one that names none, so the named
        # ones go first, and bisection, which applies the changes again and again, is the last way.
        named = [problem for problem in problems if _named_change_ids(problem, active)]
        for problem in named or problems[:1]:
            is_large = isinstance(problem, SizeProblem)
            line = _line(problem, snapshot)
            where = f"{problem.place.path}:{line}: " if line else ""
            said = problem.message if is_large else f"{where}{problem.message}"
            why = Rejection.because(TOO_LARGE if is_large else ROLLED_BACK, problem=said)
            for change in _named_change_ids(problem, active) or {_guilty(problem, active, fails)}:
                rejected.setdefault(change, why)
            if not is_large:
                diagnostics.append(_diagnostic(problem, snapshot))
        for change in with_dependants(rejected, active):
            rejected.setdefault(change, Rejection.because(REQUIRES_REFUSED))
        active = [change for change in active if change.id not in rejected]


def with_dependants(
    dropped: Collection[ChangeId], changes: Iterable[Change]
) -> frozenset[ChangeId]:
    """Return ``dropped`` with every change that requires one of them, directly or not."""
    changes = tuple(changes)
    closed = set(dropped)
    grew = True
    while grew:
        more = {change.id for change in changes if not closed.isdisjoint(change.requires)}
        grew = not more <= closed
        closed |= more
    return frozenset(closed)


def _named_change_ids(problem: Problem, active: Iterable[Change]) -> frozenset[ChangeId]:
    return frozenset(problem.changes) & {change.id for change in active}


def _guilty(
    problem: Problem, active: Sequence[Change], fails: Callable[[Sequence[Change]], bool]
) -> ChangeId:
    """Return a change without which ``problem`` goes away, one that touches its file if any does.

    Those are few, and to try them rewrites few files.
    """
    path = problem.place.path
    near = [change for change in active if path in change.paths]
    return _halve(near if fails(near) else active, fails)


def _halve(suspects: Sequence[Change], fails: Callable[[Sequence[Change]], bool]) -> ChangeId:
    """Bisect: return the change that completes the shortest prefix of ``suspects`` that fails.

    Alone guilty or only together with an earlier one: without it, that prefix passes.
    """
    passes, broken = 0, len(suspects)
    while broken - passes > 1:
        middle = (passes + broken) // 2
        if fails(suspects[:middle]):
            broken = middle
        else:
            passes = middle
    return suspects[broken - 1].id


def _line(problem: Problem, snapshot: Snapshot) -> int:
    """Return the line of a problem, 1-based; 0 where its file is new."""
    source = snapshot.get(problem.place.path)
    return 0 if source is None else source.text.count(b"\n", 0, problem.place.span.start) + 1


def _diagnostic(problem: Problem, snapshot: Snapshot) -> Diagnostic:
    message = f"a check rolled back a change: {problem.message}"
    line = _line(problem, snapshot)
    return Diagnostic(path=problem.place.path, line=line, message=message, internal=True)

"""Finds the largest set of changes that passes every check: guilty ones go, with dependants."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from awaken.contract import Change, ChangeId, Problem
from awaken.engine.edits.slices import SizeProblem
from awaken.engine.planning.in_memory import Materialised
from awaken.engine.planning.reasons import REQUIRES_REFUSED, ROLLED_BACK, TOO_LARGE, Refused
from awaken.engine.report import Diagnostic
from awaken.workspace.sources import Snapshot

Materialise = Callable[[Snapshot, Sequence[Change]], Materialised]
FindProblems = Callable[[Materialised, Sequence[Change]], list[Problem]]


class Settled(Struct, frozen=True):
    """The changes that hold together, the result of making them, and the refused ones."""

    changes: tuple[Change, ...]
    result: Materialised
    refused: dict[ChangeId, Refused]
    diagnostics: tuple[Diagnostic, ...]


def settle(
    snapshot: Snapshot,
    changes: Sequence[Change],
    materialise: Materialise,
    find_problems: FindProblems,
) -> Settled:
    """Make ``changes`` on ``snapshot``, dropping guilty ones until no check finds a problem.

    The set only shrinks, so this ends. A change that a check rolled back costs a diagnostic: it
    is awaken's failure, never the user's. One of code that is too large costs none.
    """
    active = list(changes)
    refused: dict[ChangeId, Refused] = {}
    diagnostics: list[Diagnostic] = []

    def fails(some: Sequence[Change]) -> bool:
        return bool(some) and bool(find_problems(materialise(snapshot, some), some))

    while True:
        result = materialise(snapshot, active)
        problems = find_problems(result, active) if active else []
        if not problems:
            return Settled(tuple(active), result, refused, tuple(diagnostics))
        named = [problem for problem in problems if _named(problem, active)]
        for problem in named or problems[:1]:
            is_large = isinstance(problem, SizeProblem)
            why = Refused.because(TOO_LARGE if is_large else ROLLED_BACK, problem=problem.message)
            for change in _named(problem, active) or {_halve(active, fails)}:
                refused.setdefault(change, why)
            if not is_large:
                diagnostics.append(_diagnostic(problem, snapshot))
        for change in with_dependants(refused, active):
            refused.setdefault(change, Refused.because(REQUIRES_REFUSED))
        active = [change for change in active if change.id not in refused]


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


def _named(problem: Problem, active: Iterable[Change]) -> frozenset[ChangeId]:
    return frozenset(problem.changes) & {change.id for change in active}


def _halve(suspects: Sequence[Change], fails: Callable[[Sequence[Change]], bool]) -> ChangeId:
    """Return the change that completes the shortest run of first changes that fails.

    Alone guilty or only together with an earlier one: without it, that run holds.
    """
    holds, broken = 0, len(suspects)
    while broken - holds > 1:
        middle = (holds + broken) // 2
        if fails(suspects[:middle]):
            broken = middle
        else:
            holds = middle
    return suspects[broken - 1].id


def _diagnostic(problem: Problem, snapshot: Snapshot) -> Diagnostic:
    source = snapshot.get(problem.place.path)
    line = 0
    if source is not None:
        line = source.text.count(b"\n", 0, problem.place.span.start) + 1
    message = f"a change was rolled back by a check: {problem.message}"
    return Diagnostic(path=problem.place.path, line=line, message=message, internal=True)

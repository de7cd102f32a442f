"""Colouring: which plain functions have to become coroutine functions, and why each of them.

A function that waits is a *seed*. A caller of a coloured function has to wait as well, and is
coloured; so are all overrides of a coloured method. A function that is asynchronous already, and
the code of a file outside of functions, is where it ends. PEP 492.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.worklist import Queue

Callers = Callable[[FunctionPlace], Iterable[Call]]
"""Who calls a function, and where."""

KinOf = Callable[[FunctionPlace], Iterable[FunctionPlace]]
"""Which functions change with a function."""


class Step(Struct, frozen=True):
    """Why a function is coloured: it waits ``at`` a place for the function ``to``.

    ``to`` is None where the place itself waits; ``kind`` says whether it calls ``to`` or overrides
    it.
    """

    at: Place
    to: FunctionPlace | None = None
    kind: str = "calls"


def coloured_functions(
    callers: Callers,
    kin: KinOf,
    seeds: Mapping[FunctionPlace, Place],
    ends: Callable[[FunctionPlace], bool],
) -> dict[FunctionPlace, Step]:
    """Return the functions that become coroutine functions, each with the next step to its seed.

    ``seeds`` are the functions that wait, each with the place at which it does. ``ends`` says of
    a caller that it can wait as it is. The steps are the shortest way, and depend on no order.
    """
    steps = {seed: Step(seeds[seed]) for seed in sorted(seeds) if not ends(seed)}
    waiting = Queue(steps)
    for function in waiting:
        for other, step in _pairs_next(callers, kin, function):
            if other not in steps and not ends(other):
                steps[other] = step
                waiting += [other]
    return steps


def _pairs_next(
    callers: Callers, kin: KinOf, function: FunctionPlace
) -> Iterable[tuple[FunctionPlace, Step]]:
    for other in kin(function):
        yield (
            other,
            Step(Place(other.path, Span(other.start, other.start)), function, "stands in for"),
        )
    for call in callers(function):
        yield call.caller, Step(call.place, function)


def chain(steps: Mapping[FunctionPlace, Step], function: FunctionPlace) -> list[Step]:
    """Return the steps from a coloured ``function`` to what it waits for in the end."""
    result: list[Step] = []
    current: FunctionPlace | None = function
    while current is not None and current in steps:
        step = steps[current]
        result.append(step)
        current = step.to
    return result

"""The functions that lead to one over any number of calls, and these calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Place
from awaken.project.graph.callers import Callers
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.trees import without_arguments
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function


class Leading(NamedTuple):
    """A function and all that lead to it, by file and place, and the calls by which they do."""

    functions: tuple[FunctionPlace, ...]
    calls: tuple[Place, ...]


def leading_to(
    evaluator: ProgramEvaluator, graph: Callable[[], CallGraph], module: Module, function: Function
) -> Leading:
    """Return what leads to a function of ``module``; ``graph`` is made where that is too much."""
    calls: set[Place] = set()
    start: tuple[Module, Function | None] = module, function
    waiting = Queue([start], lambda pair: FunctionPlace.of(*pair))
    for home, around in waiting:
        if around is None:
            continue
        callers = evaluator.callers_of(home, around)
        is_many = any(item.kind == "many" for item in callers.obstacles)
        if is_many or len(waiting.seen) > MOST_FUNCTIONS:
            return _by_graph(graph(), FunctionPlace.of(*start))
        calls.update(site.place for site in callers.sites)
        calls.update(_calls_by_decorators(evaluator, home, around))
        waiting += _calling_functions(evaluator, callers)
    functions = sorted(FunctionPlace.of(*pair) for pair in waiting.seen.values())
    return Leading(tuple(functions), tuple(sorted(calls)))


def _calls_by_decorators(
    evaluator: ProgramEvaluator, module: Module, function: Function
) -> Iterator[Place]:
    """Yield the calls of a function in what its decorators make of it."""
    for decorator in function.decorator_list:
        name = evaluator.names.qualified_name(module, without_arguments(decorator))
        home, body = evaluator.forwarding.definition(name or "") or (module, None)
        for call in () if body is None else home.nodes_below(body, ast.Call):
            if home.scopes.parameter_of(call.func) is not None:
                yield home.place(call)


def _calling_functions(
    evaluator: ProgramEvaluator, callers: Callers
) -> Iterator[tuple[Module, Function | None]]:
    for site in callers.sites:
        for home, call in evaluator.calls_at(site.place)[:1]:
            yield home, function_around(home, call)


def _by_graph(graph: CallGraph, start: FunctionPlace) -> Leading:
    functions = graph.reaching([start])
    known = set(functions)
    calls = (
        call.place
        for function in functions
        for call in graph.callees(function)
        if not known.isdisjoint(call.functions)
    )
    return Leading(tuple(functions), tuple(sorted(calls)))

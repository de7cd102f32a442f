"""Calls of functions that roll back or expire the session that they get.

If such a function raises afterwards, only code that handles the exception continues.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.wrappers import Wrappers
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    entering,
    is_of_callers,
)
from awaken.contract import Place
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.local.context_managers import returns_nothing_true

if TYPE_CHECKING:
    from awaken.project import Project

_LEAVING = (ast.Break, ast.Continue, ast.Return)


class _Event(NamedTuple):
    """A call, after which objects are expired, unless it is one that only ``raises``."""

    place: Place
    raises: bool


def expiring_calls(project: Project, expiring: Iterable[Place]) -> list[Place]:
    """Return the calls after which ``expiring``, calls of sessions, have expired something."""
    graph, wrappers = project.calls.graph(), Wrappers(project)
    begun = {place: project.calls_at(place)[:1] for place in expiring}
    own = {
        _Event(place, any(is_savepoint(*one) for one in pairs)) for place, pairs in begun.items()
    }
    seen, waiting, places = set(own), sorted(own), set[Place]()
    while waiting:
        calls: set[_Event] = set()
        # Those of one file one after the other: its tree is kept that long.
        for event in waiting:
            function, raises = _ended_function(project, event)
            if event not in own and raises is not None:
                places.add(event.place)
            if function is not None:
                ends = event.raises if raises is None else raises
                # A wrapper runs where what it decorates is called.
                called = (function, *wrappers.decorated_functions(function))
                calls |= {_Event(x.place, ends) for callee in called for x in graph.callers(callee)}
                definitions = project.calls.definitions_of([function])
                ends = ends or all(returns_nothing_true(*each) for each in definitions)
                calls |= {_Event(place, ends) for place in entering(project, function)}
        waiting = sorted(calls - seen)
        seen |= calls
    return sorted(places)


def _ended_function(project: Project, event: _Event) -> tuple[FunctionPlace | None, bool | None]:
    """Return the function around an event, and whether it raises after it.

    No function where its callers have nothing of that session. An unhandled exception of an event
    leaves the function: None.
    """
    for module, call in project.calls_at(event.place)[:1]:
        around = function_around(module, call)
        if isinstance(around, Function):
            raises = _goes_on(project, module, around, call, event)
            is_outside = is_of_callers(project, module, call)
            return project.calls.graph().place_of(module, around) if is_outside else None, raises
    return None, None


def _goes_on(
    project: Project, module: Module, function: Function, node: ast.AST, event: _Event
) -> bool | None:
    """Return whether a function raises after an event; None if it does nothing after it."""
    if not event.raises:
        return _raises_behind(module, function, node)
    guard = _guard_around(project, module, node)
    if not isinstance(guard, ast.Try):
        return None if guard is None else _raises_behind(module, function, guard)
    return all(isinstance(handler.body[-1], ast.Raise) for handler in guard.handlers)


def _guard_around(
    project: Project, module: Module, node: ast.AST
) -> ast.With | ast.AsyncWith | ast.Try | None:
    """Return the nearest block of the same function that may end an exception of ``node``."""
    for below, above in module.steps_up(node):
        if isinstance(above, Function):
            break
        if isinstance(above, ast.With | ast.AsyncWith):
            managers = (item.context_expr for item in above.items)
            if any(project.effects.ends_exceptions(module, manager) for manager in managers):
                return above
        if isinstance(above, ast.Try) and below in above.body and above.handlers:
            return above
    return None


def _raises_behind(module: Module, function: Function, node: ast.AST) -> bool:
    """Whether the block around a node, or one around that, ends by an exception.

    It does not if a statement after the node may leave that block in another way.
    """
    for below, above in module.steps_up(node):
        if above is function:
            return False
        if isinstance(below, ast.stmt):
            block = module.block_of(below)
            behind = block[block.index(below) + 1 :]
            if any(isinstance(part, _LEAVING) for part in own_nodes(behind)):
                return False
            if isinstance(block[-1], ast.Raise):
                return True
    return False


def is_savepoint(module: Module, event: ast.Call) -> bool:
    """Whether a call enters a block that only an exception rolls back."""
    return last_name(event.func) == "begin_nested" and isinstance(
        module.parent(event), ast.withitem
    )


def goes_on_at(project: Project, module: Module, event: ast.Call, node: ast.AST) -> bool:
    """Whether an exception may have ended the block that ``event`` enters, where ``node`` runs."""
    guard = _guard_around(project, module, event)
    if not isinstance(guard, ast.Try):
        return guard is not None
    around, ends = (node, *module.ancestors(node)), [each.body[-1] for each in guard.handlers]
    is_inside = any(part in around for part in (*guard.handlers, *guard.finalbody))
    return is_inside or not all(isinstance(end, ast.Raise | ast.Return) for end in ends)

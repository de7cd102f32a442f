"""Constructors of mapped classes that query with a session they are given, and listeners.

Nothing can be awaited where an object is made, nor in what SQLAlchemy calls while it flushes. A
constructor is called by `run_sync`, in whose greenlet the session waits; a flush is in one anyway.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import name_of
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside, holds, takes_session
from awaken.codemods.sqlalchemy.session_to_async.functions.async_constructors import Constructors
from awaken.codemods.sqlalchemy.session_to_async.inside.staying import Staying
from awaken.codemods.sqlalchemy.session_to_async.reasons import LEGACY_QUERY, NO_TWIN
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_LISTENS = "sqlalchemy.event.listens_for"
_FLUSHING = name_list("events_of_flushes")


def inside_sessions(part: SynchronousPart) -> Inside:
    """Return what of the functions that wait runs inside of a synchronous session."""
    staying = Staying(part)
    groups = [_constructors(part), *([step] for step in part.steps if _is_listener(part, step))]
    groups += ([named] for named in part.entry_points.inside if named in part.steps)
    functions: set[FunctionPlace] = set()
    calls: dict[Place, Operation] = {}
    for group in groups:
        function = staying.with_all(group) if group else None
        if function is not None:
            functions |= function[0]
            calls |= function[1]
    outside = {place: item for place, item in calls.items() if not _is_of(part, place, functions)}
    return Inside(frozenset(functions), outside)


def offer_inside(part: SynchronousPart, function: FunctionPlace, item: Member) -> bool:
    """Add the option that keeps ``function`` plain to a refusal; False if it may not stay so.

    Code without an asynchronous counterpart works in the greenlet of `run_sync`.
    """
    refused = item.outcome
    if not isinstance(refused, Refused) or refused.reason not in {LEGACY_QUERY, NO_TWIN}:
        return False
    definition = part.node_of(function)
    if definition is None or not takes_session(part.project, *definition):
        return False
    can_stay = Staying(part).with_all([function]) is not None
    if can_stay:
        bridged = f'bridged = ["{name_of(part.project, function)}"]'
        refused.help += f" Or keep `{function.qualname}` synchronous: set the option `{bridged}`."
        refused.answered_by(f"rules.session-to-async.{bridged}")
    return can_stay


def _is_of(part: SynchronousPart, place: Place, functions: set[FunctionPlace]) -> bool:
    return any(holds(functions, *call) for call in part.project.calls_at(place))


def _constructors(part: SynchronousPart) -> list[FunctionPlace]:
    """Return the constructors of mapped classes that wait, if no class method can replace one."""
    functions = [step for step in part.steps if _is_of_model(part, step)]
    constructors = Constructors(part)
    for function in functions:
        module, node = part.node_of(function) or (None, None)
        if module is None or not isinstance(node, ast.FunctionDef):
            continue
        try:
            constructors.check(module, node, function)
        except Refused:
            return functions
    return []


def _is_of_model(part: SynchronousPart, function: FunctionPlace) -> bool:
    owner, _, name = function.qualname.rpartition(".")
    module = part.project.module(function.path)
    if name != "__init__" or module is None:
        return False
    return part.project.orm.mapped_class(f"{module.name}.{owner}") is not None


def _is_listener(part: SynchronousPart, function: FunctionPlace) -> bool:
    """Whether all that calls a function are events of a flush."""
    module, node = part.node_of(function) or (None, None)
    if module is None or node is None or not node.decorator_list:
        return False
    is_called_by_events = all(_events(part, module, node.decorator_list))
    return is_called_by_events and not part.project.calls.graph().callers(function)


def _events(part: SynchronousPart, module: Module, decorators: list[ast.expr]) -> Iterator[bool]:
    for decorator in decorators:
        match decorator:
            case ast.Call(args=[target, ast.Constant(value=name), *_], func=function):
                listens = part.project.qualified_name(module, function) == _LISTENS
                yield listens and name in _FLUSHING and _is_target(part, module, target)
            case _:
                yield False


def _is_target(part: SynchronousPart, module: Module, target: ast.expr) -> bool:
    """Whether events of a mapped class, or of all sessions, are listened to."""
    qualified = part.project.qualified_name(module, target)
    if qualified is None:
        return False
    return qualified == "sqlalchemy.orm.Session" or (
        part.project.orm.mapped_class(qualified) is not None
    )

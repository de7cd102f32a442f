"""Calls of what `getattr` finds by a name that the program works out: who it may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.fitting_calls import takes
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.values.domain import ClassOf, InstanceOf, ModuleOf


def dynamic_calls(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls of what `getattr` gives that may be a function which waits.

    Of an object of which nothing is known, anything may be asked: such calls are not yielded.
    """
    escaping = {place for component in part.escaping_components for place in component.calls}
    for call in part.project.calls.graph().calls():
        if call.kind != "unknown" or "getattr" not in call.why or call.place in escaping:
            continue
        for module, node in part.project.calls_at(call.place)[:1]:
            result = _found_by(module, node)
            if result is None:
                continue
            meant = [
                one
                for one in _possible_functions(part, module, result)
                if takes(part, module, node, one)
            ]
            if meant:
                why = f"`{meant[0].qualname}`, which becomes a coroutine function: {call.why}"
                shown = f"`{module.excerpt(node)}`"
                along = tuple(function.place for function in meant)
                yield Member(Site(rule, module, node), Refused(UNKNOWN_CALL, why), shown, along)


def _found_by(module: Module, call: ast.Call) -> ast.Call | None:
    """Return the call of `getattr` whose result is called."""
    function: ast.expr | None = call.func
    if isinstance(function, ast.Name):
        function = module.scopes.only_value(function)
    if isinstance(function, ast.Call) and module.scopes.builtin_called(function) == "getattr":
        return function if function.args else None
    return None


def _possible_functions(
    part: SynchronousPart, module: Module, found: ast.Call
) -> Iterator[FunctionPlace]:
    """Yield the functions that wait, and that an object may have under some name."""
    homes: set[str] = set()
    for value in part.project.values.of(module, found.args[0]).alternatives:
        match value:
            case ModuleOf(path=path):
                homes.add(part.project.layout.name_of(path))
            case InstanceOf(qualified=qualified) | ClassOf(qualified=qualified):
                homes |= {qualified, *part.project.all_subclasses(qualified)}
    for function in sorted(part.steps):
        name = f"{part.project.layout.name_of(function.path)}.{function.qualname}"
        if name.rpartition(".")[0] in homes:
            yield function

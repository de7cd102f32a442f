"""Functions that register one handler and return it: the lifespan can ask them for it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from awaken.codemods.fastapi.on_event_to_lifespan.home import Definition, Home
from awaken.codemods.fastapi.on_event_to_lifespan.timing import Clock, Timing
from awaken.project import Project
from awaken.project.wiring.registrations import Registration

_OF_OTHERS = {"outside", "framework", "inherited"}
_DEFINED_AND_RETURNED = 2


@dataclass(frozen=True, slots=True)
class Provider:
    """The only call of such a function, as a statement of its own, and when that is executed."""

    call: ast.Call
    statement: ast.stmt
    timing: Timing


def provider_of(project: Project, home: Home, registration: Registration) -> Provider | None:
    """Return the call that makes and registers the handler of ``registration``, if only one does.

    It stands where the application of ``home`` is made. Raises Refused.
    """
    module, function = registration.module, registration.function
    maker = module.scopes.scope_of(function).node if function is not None else None
    if function is None or not isinstance(maker, Definition) or maker is home.scope.node:
        return None
    if not _only_returns(maker, function):
        return None
    callers = project.callers_of(module, maker)
    hidden = [one for one in callers.obstacles if one.kind not in _OF_OTHERS]
    if len(callers.sites) != 1 or hidden or callers.sites[0].place.path != home.module.path:
        return None
    calls = home.module.calls_at(callers.sites[0].place.span)
    statement = home.module.parent(calls[0]) if calls else None
    if not isinstance(statement, ast.Expr):
        return None
    timing = Clock(project, home).of_statement(home.module, statement)
    return None if timing is None else Provider(calls[0], statement, timing)


def _only_returns(maker: Definition, function: Definition) -> bool:
    """Whether a function does nothing but define its handler and return it."""
    body = maker.body[1:] if ast.get_docstring(maker) is not None else maker.body
    if (
        isinstance(maker, ast.AsyncFunctionDef)
        or maker.decorator_list
        or len(body) != _DEFINED_AND_RETURNED
    ):
        return False
    last = body[1]
    returned = last.value if isinstance(last, ast.Return) else None
    name = returned.id if isinstance(returned, ast.Name) else ""
    return body[0] is function and name == function.name

"""Functions that do nothing but register one handler: the lifespan can ask them for it."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.timing import Clock, Timing
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS
from awaken.project.frameworks.web.registrations import Registration
from awaken.project.source.trees import Function

_DEFINED_AND_RETURNED = 2


class Provider(Struct, frozen=True):
    """The only call of such a function, as a statement of its own, and when that is executed.

    ``returns`` says that the function gives back its handler already.
    """

    call: ast.Call
    statement: ast.stmt
    timing: Timing
    returns: bool


def provider_of(project: Project, home: Home, registration: Registration) -> Provider | None:
    """Return the call that makes and registers the handler of ``registration``, if only one does.

    It is where the application of ``home`` is made. Raises Refused.
    """
    module, function = registration.module, registration.function
    maker = module.scopes.scope_of(function).node if function is not None else None
    if function is None or not isinstance(maker, Function) or maker is home.scope.node:
        return None
    body = maker.body[1:] if ast.get_docstring(maker) is not None else maker.body
    if not _only_defines(maker, body, function):
        return None
    callers = project.calls.callers_of(module, maker)
    hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
    # A second call would register the handler a second time.
    if len(callers.sites) != 1 or hidden or callers.sites[0].place.path != home.module.path:
        return None
    calls = home.module.calls_at(callers.sites[0].place.span)
    statement = home.module.parent(calls[0]) if calls else None
    # A result that is used must stay where it is.
    if not isinstance(statement, ast.Expr):
        return None
    timing = Clock(project, home).of_statement(home.module, statement)
    return None if timing is None else Provider(calls[0], statement, timing, returns=len(body) > 1)


def _only_defines(maker: Function, body: list[ast.stmt], function: Function) -> bool:
    """Whether a function does nothing but define its handler, and return it if anything."""
    # A coroutine function gives a coroutine, not its handler.
    plain = isinstance(maker, ast.FunctionDef) and not maker.decorator_list
    if not plain or len(body) > _DEFINED_AND_RETURNED or body[0] is not function:
        return False
    if len(body) == 1:
        return True
    returned = body[1].value if isinstance(body[1], ast.Return) else None
    return isinstance(returned, ast.Name) and returned.id == function.name

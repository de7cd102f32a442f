"""Statements whose objects are validated in a greenlet: they refresh these objects.

A session that expires nothing at a commit would give such an object its old relationships. There is
no refresh if the session has pending changes: they would be lost. Nor is there one if the session
begins with the function or the request, unless a commit comes first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import Decorators
from awaken.codemods.sqlalchemy.session_to_async.reads.spawned_reads import validates
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.source.modules import Module

_EXECUTING = library_names().executing_methods


def loaded_before_validation(
    part: SynchronousPart, spawned: Iterable[Place], later: Iterable[Later]
) -> dict[Place, Anew]:
    """Return the calls that execute statements next to ``spawned`` ones, with the argument.

    ``later`` are loads that surely come after a commit.
    """
    project, decorators = part.project, Decorators(part)
    behind = {event.place for event in later}
    reloads: dict[Place, Anew] = {}
    for place in spawned:
        for module, call in project.calls_at(place):
            function = function_around(module, call)
            if function is None or not validates(call):
                continue
            for node in module.walk(function):
                session = _session_of(project, module, node)
                if session is None:
                    continue
                if module.place(node) in behind or not _begins_there(
                    decorators, module, function, session
                ):
                    said = f'{{"populate_existing": not {module.text_of(session)}.dirty}}'
                    reloads[module.place(node)] = Anew("execution_options", said, "dirty")
    return reloads


def _begins_there(
    decorators: Decorators, module: Module, function: Function, session: ast.expr
) -> bool:
    """Whether a session is one of a function alone, or is given to an endpoint."""
    if not isinstance(session, ast.Name):
        return False
    bindings = module.scopes.bindings_of(session)
    if any(module.enclosing_function(binding.node) is not function for binding in bindings):
        return False
    is_given = any(isinstance(binding.node, ast.arg) for binding in bindings)
    is_endpoint = any(decorators.registers(module, node) for node in function.decorator_list)
    return bool(bindings) and (is_endpoint or not is_given)


def _session_of(project: Project, module: Module, node: ast.AST) -> ast.expr | None:
    """Return the session that a call has execute a statement for objects."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name() | ast.Attribute() as session, attr=name), args=[_]
        ) if name in _EXECUTING:
            is_session = project.orm.resource_of(module, session) in BLOCKING_SESSIONS
            load = project.orm.commits.reloads.reload_by(module, node) if is_session else None
            is_select = load is not None and load.statement is not None
            return session if is_select else None
    return None

"""Listeners on sessions: events are those of the synchronous session of an asynchronous one.

They are called where that waits, in its greenlet, and so they stay plain functions. A connection
from around them is used as the synchronous one that is inside.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.resources.conditions import is_in_condition
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of

if TYPE_CHECKING:
    from awaken.project import Project

_DECORATING = "sqlalchemy.event.listens_for"
_LISTENING = {"sqlalchemy.event.listen", _DECORATING}


def listeners(project: Project, rule: str) -> Iterator[Member]:
    """Yield what becomes of listeners on sessions."""
    for module in modules_with(project, (b"listen",)):
        for node in module.walk():
            if isinstance(node, ast.Call) and _is_on_session(project, module, node):
                target = node.args[0]
                site: Site[ast.AST] = Site(rule, module, node)
                shown = f"`{module.excerpt(target)}`"
                edits = [site.insert_behind(target, ".sync_session")]
                function = module.parent(node)
                if isinstance(function, ast.FunctionDef):
                    edits += [
                        site.insert_behind(one, ".sync_connection")
                        for one in _connections(project, module, function) or ()
                    ]
                message = f"{shown} is listened to as a synchronous session"
                yield Member(site, Rewrite(message, edits), shown)


def is_in_listener(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` stands in a listener on a session, or a condition, that stays plain."""
    if is_in_condition(project, module, node):
        return True
    function = next((one for one in module.ancestors(node) if isinstance(one, Function)), None)
    return isinstance(function, ast.FunctionDef) and (
        _connections(project, module, function) is not None
    )


def _is_on_session(project: Project, module: Module, call: ast.Call) -> bool:
    if not call.args or project.qualified_name(module, call.func) not in _LISTENING:
        return False
    found = project.orm.session_of(module, call.args[0])
    return isinstance(found, SessionProof) and found.kind == "session" and not found.unless


def _connections(
    project: Project, module: Module, function: ast.FunctionDef
) -> list[ast.expr] | None:
    """Return the connections that a listener on a session uses; None if it is none, or unknown."""
    match function.decorator_list:
        case [ast.Call() as call] if project.qualified_name(module, call.func) == _DECORATING:
            pass
        case _:
            return None
    around = module.enclosing_function(function)
    is_used = any(
        isinstance(one, ast.Name) and one.id == function.name
        for one in module.mentions(function.name)
    )
    if around is None or is_used or not _is_on_session(project, module, call):
        return None
    parameters = {one.arg for one, _ in parameters_of(function.args)}
    found: list[ast.expr] = []
    inside = set(module.walk(function))
    for operation in project.orm.operations(module):
        match operation:
            case Operation(node=node) if node not in inside:
                pass
            case Operation(node=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if (
                name in parameters
            ):
                # It is the synchronous session that an event passes.
                pass
            case Operation(
                node=ast.Call(func=ast.Attribute(value=ast.Name() as receiver)) as call,
                resource="connection",
                method="begin_nested",
            ) if _is_only_asked(module, around, call):
                found.append(receiver)
            case _:
                return None
    return found


def _is_only_asked(module: Module, around: ast.AST, call: ast.Call) -> bool:
    """Whether a savepoint is kept in a variable that is asked alone whether it is active."""
    statement = module.parent(call)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) if statement.value is call:
            pass
        case _:
            return isinstance(statement, ast.Expr)
    uses = [one for one in module.walk(around) if isinstance(one, ast.Name) and one.id == name]
    above = [module.parent(one) for one in uses if isinstance(one.ctx, ast.Load)]
    return all(isinstance(one, ast.Attribute) and one.attr == "is_active" for one in above)

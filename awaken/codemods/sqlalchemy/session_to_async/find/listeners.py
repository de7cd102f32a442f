"""Listeners on sessions: events are those of the synchronous session of an asynchronous one.

They are called where that waits, in its greenlet, and so they stay plain functions. A connection
from around them is used as the synchronous one that is inside.

Conditions of DDL: SQLAlchemy asks them while it makes tables, with the synchronous connection.

``CreateView(...).execute_if(callable_=view_is_missing)``: that is in the greenlet of `run_sync`, so
they stay plain functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import FACTORY_EVENTS
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, parameter_names
from awaken.project.values.domain import Producer, Session

if TYPE_CHECKING:
    from awaken.project import Project

_PARTIAL = "functools.partial"
_DECORATING = "sqlalchemy.event.listens_for"
_LISTENING = name_list("event_functions")
_REPLACING = {"object", "setattr"}
_INSIDE = "sync_session"
_REPLACED = 3
"""The arguments of `monkeypatch.setattr(Session, "commit", timed_commit)`, or of `patch.object`."""
_WORDS = (b"listen", b"event.contains", b"event.remove", b"sqlalchemy.event")


def is_in_condition(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in a function that is used for nothing but such conditions."""
    function = module.enclosing_def(node)
    return isinstance(function, ast.FunctionDef) and _is_condition(
        project, module, function, frozenset()
    )


def _is_condition(
    project: Project, module: Module, function: ast.FunctionDef, seen: frozenset[str]
) -> bool:
    if module.parent(function) is not module.tree or function.decorator_list:
        return False
    if b"execute_if" not in module.source.text:
        return False
    qualified = f"{module.name}.{function.name}"
    uses = 0
    for other, mention in uses_of(project, {qualified}):
        uses += 1
        if not _asks(project, other, mention) and not _is_called_by_one(
            project, module, other, mention, seen | {function.name}
        ):
            return False
    return uses > 0


def _asks(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node``, a function, is given as a condition: itself, or as a part of it."""
    above = module.parent(node)
    if isinstance(above, ast.Call) and above.args[:1] == [node]:
        if project.qualified_name(module, above.func) != _PARTIAL:
            return False
        above = module.parent(above)
    if not isinstance(above, ast.keyword) or above.arg != "callable_":
        return False
    call = module.parent(above)
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "execute_if"
    )


def _is_called_by_one(
    project: Project, home: Module, module: Module, node: ast.expr, seen: frozenset[str]
) -> bool:
    """Whether ``node`` is called by another condition of the same file."""
    call = module.parent(node)
    around = module.enclosing_function(node)
    return (
        module.path == home.path
        and isinstance(call, ast.Call)
        and call.func is node
        and isinstance(around, ast.FunctionDef)
        and around.name not in seen
        and _is_condition(project, module, around, seen)
    )


def targets(project: Project) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a program begins, or ends, to listen to."""
    yield from ((module, target) for module, _, target in listening_calls(project))


def is_factory_by_another_name(project: Project, module: Module, target: ast.expr) -> bool:
    """Whether something makes sessions that is not named as the variable that holds it."""
    named = project.qualified_name(module, target)
    is_named = named is not None and project.definition(named) is not None
    return not is_named and _makes_sessions(project, module, target)


def listening_calls(project: Project) -> Iterator[tuple[Module, ast.Call, ast.expr]]:
    """Yield the calls that begin or end to listen to something, with what that is."""
    for module, node in nodes_with(project, _WORDS, ast.Call):
        target = listened_to(project, module, node)
        if target is not None:
            yield module, node, target


def listened_to(project: Project, module: Module, node: ast.AST | None) -> ast.expr | None:
    """Return what ``node`` begins or ends to listen to; None if it does neither.

    That is the class, too, of which a test replaces a method: asynchronous sessions call that one.
    """
    if not isinstance(node, ast.Call):
        return None
    if last_name(node.func) in _REPLACING and len(node.args) == _REPLACED:
        is_class = project.qualified_name(module, node.args[0]) in session_classes()
        return node.args[0] if is_class else None
    if project.qualified_name(module, node.func) not in _LISTENING:
        return None
    named = [keyword.value for keyword in node.keywords if keyword.arg == "target"]
    return next(iter([*node.args, *named]), None)


def listeners(project: Project, rule: str, factories: Sequence[Place]) -> Iterator[Member]:
    """Yield the rewrites of listeners on sessions, and on ``factories`` of them."""
    for module, node, target in listening_calls(project):
        site: Site[ast.AST] = Site(rule, module, node)
        shown = f"`{module.excerpt(target)}`"
        if _makes_sessions(project, module, target):
            is_any = is_factory_by_another_name(project, module, target)
            why = Refused(FACTORY_EVENTS, module.excerpt(target))
            yield Member(site, why, shown, tuple(factories if is_any else ()))
        elif _is_session(project, module, target):
            edits = [site.insert_behind(target, ".sync_session")]
            function = module.parent(node)
            if isinstance(function, ast.FunctionDef):
                edits += [
                    site.insert_behind(connection, ".sync_connection")
                    for connection in _connections(project, module, function) or ()
                ]
            message = f"the listener moves to the synchronous session of {shown}"
            yield Member(site, Rewrite(message, edits), shown)


def is_called_by_events(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in a function that events call: its sessions are synchronous."""
    for around in module.ancestors(node):
        if not isinstance(around, ast.FunctionDef):
            continue
        if any(listened_to(project, module, part) is not None for part in around.decorator_list):
            return True
        named = (part for part in module.mentions(around.name) if isinstance(part, ast.Name))
        if any(listened_to(project, module, module.parent(name)) is not None for name in named):
            return True
    return False


def is_in_listener(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in a listener on a session, or in a condition, that stays plain."""
    if is_in_condition(project, module, node):
        return True
    function = module.enclosing_def(node)
    return isinstance(function, ast.FunctionDef) and (
        _connections(project, module, function) is not None
    )


def _is_session(project: Project, module: Module, target: ast.expr) -> bool:
    """Whether it becomes asynchronous: the session inside of an asynchronous one does not."""
    if last_name(target) == _INSIDE:
        return False
    proof = project.orm.session_of(module, target)
    return isinstance(proof, SessionProof) and proof.kind == "session" and not proof.unless


def _makes_sessions(project: Project, module: Module, target: ast.expr) -> bool:
    """Whether something may be a factory of sessions, or a registry of them."""
    proof = project.orm.session_of(module, target)
    if isinstance(proof, SessionProof) and proof.kind == "scoped":
        return True
    known = project.values.of(module, target).alternatives
    factories = (value for value in known if isinstance(value, Producer) and value.how == "factory")
    sessions = (value for factory in factories for value in factory.inner)
    return any(isinstance(value, Session) and value.kind == "session" for value in sessions)


def _connections(
    project: Project, module: Module, function: ast.FunctionDef
) -> list[ast.expr] | None:
    """Return the connections that a listener on a session uses; None if unknown, or no listener."""
    match function.decorator_list:
        case [ast.Call() as call] if project.qualified_name(module, call.func) == _DECORATING:
            pass
        case _:
            return None
    around = module.enclosing_function(function)
    is_used = any(
        isinstance(mention, ast.Name) and mention.id == function.name
        for mention in module.mentions(function.name)
    )
    target = listened_to(project, module, call)
    if around is None or is_used or target is None or not _is_session(project, module, target):
        return None
    parameters = parameter_names(function.args)
    receivers: list[ast.expr] = []
    inside = set(module.walk(function))
    for operation in project.orm.operations.in_module(module, inside.__contains__):
        match operation:
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
                receivers.append(receiver)
            case _:
                return None
    return receivers


def _is_only_asked(module: Module, around: ast.AST, call: ast.Call) -> bool:
    """Whether a savepoint is kept in a variable that is asked alone whether it is active."""
    statement = module.parent(call)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) if statement.value is call:
            pass
        case _:
            return isinstance(statement, ast.Expr)
    uses = [node for node in module.nodes_below(around, ast.Name) if node.id == name]
    above = [module.parent(use) for use in uses if isinstance(use.ctx, ast.Load)]
    return all(isinstance(node, ast.Attribute) and node.attr == "is_active" for node in above)

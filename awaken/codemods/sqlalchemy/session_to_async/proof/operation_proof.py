"""Operations of the database: none that is awaited is synchronous, and none is lost."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.names_here import value_behind
from awaken.knowledge.asynchronous import Resource, session_classes, twins
from awaken.knowledge.library_names import name_list, name_table
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, Producer, Session, Value

if TYPE_CHECKING:
    from awaken.project import Project

RUN = {"awaited", "run"}
"""What becomes of a coroutine that runs."""

_CLASSES: dict[str, Resource] = name_table("asynchronous_resources")
_SPAWN = "sqlalchemy.util.greenlet_spawn"
_THREAD = "asyncio.to_thread"
_OWN = {"remove", "run_sync", "stream", "stream_scalars"}
"""Coroutine functions that the asynchronous side alone has, ``remove`` of a registry."""
_ENTERED = name_list("entered_asynchronously")
_COROUTINES = {"aclose", "enter_async_context"}  # of whatever object
_NOT_AWAITED = "is an operation that nothing awaits"
_NOT_ENTERED = "is not entered asynchronously"


def synchronous(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the synchronous operations of a file that are awaited."""
    # Of the program after it hardly anything but this is synchronous: the rest is not asked for.
    for operation in after.orm.operations.in_module(module, partial(_is_awaited, module)):
        if operation.how != "unknown":
            what = f"`{module.excerpt(operation.node)}` is awaited, but still synchronous"
            yield module.place(operation.node), what
    for call in after.object_factories.calls(module):
        what = f"`{module.excerpt(call)}` makes an object where the code cannot await"
        yield module.place(call), what


def _is_awaited(module: Module, node: ast.AST) -> bool:
    above = module.parent(node)
    return isinstance(above, ast.Await) or isinstance(
        None if above is None else module.parent(above), ast.AsyncWith
    )


def lost_operations(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the operations of asynchronous sessions, engines and clients that nothing awaits."""
    for node in module.nodes_of(ast.Call, ast.Attribute, ast.For, ast.comprehension, ast.withitem):
        match node:
            case ast.Call() if not isinstance(module.parent(node), ast.Await):
                what = _lost_text(after, module, node)
                if what:
                    yield module.place(node), f"`{module.excerpt(node)}` {what}"
            # The receiver may await a passed value.
            case ast.Attribute(value=ast.Attribute(attr="awaitable_attrs")) if not isinstance(
                module.parent(node), ast.Await | ast.Call | ast.Starred
            ):
                yield module.place(node), f"`{module.excerpt(node)}` {_NOT_AWAITED}"
            case ast.For(iter=given) | ast.comprehension(iter=given, is_async=0):
                if _is_streamed(after, module, given):
                    what = f"`{module.excerpt(given)}` is not iterated asynchronously"
                    yield module.place(given), what
            case ast.withitem(context_expr=ast.Call(func=given)) if (
                isinstance(module.parent(node), ast.AsyncWith)
                and after.qualified_name(module, given) == "contextlib.ExitStack"
            ):
                yield module.place(given), f"`{module.excerpt(given)}` is not asynchronous"
            case ast.withitem(context_expr=given) if isinstance(module.parent(node), ast.With):
                if any(_is_entered(after, module, branch) for branch in branches(given)):
                    yield module.place(given), f"`{module.excerpt(given)}` {_NOT_ENTERED}"


def _is_entered(after: Project, module: Module, node: ast.expr) -> bool:
    """Whether only ``async with`` enters an object."""
    kind = _resource(after, module, node)
    if kind in {"client", "connection", "session", "transaction"}:
        return True
    made = after.qualified_name(module, node.func) if isinstance(node, ast.Call) else None
    return made in _ENTERED or not _ENTERED.isdisjoint(after.instance_of(module, node))


def _is_streamed(after: Project, module: Module, given: ast.expr) -> bool:
    """Whether ``given`` awaits a result that comes row by row."""
    match given:
        case ast.Await(value=ast.Call(func=ast.Attribute(value=receiver, attr=method))):
            is_stream = method in {"stream", "stream_scalars"}
            return is_stream and _resource(after, module, receiver) is not None
        # Methods of such a result give another one: `.unique()`, `.tuples()`.
        case ast.Call(func=ast.Attribute(value=inner)):
            return _is_streamed(after, module, inner)
    return False


def _lost_text(after: Project, module: Module, node: ast.Call) -> str:
    """Return what is wrong with a call that is not awaited; or nothing."""
    name = last_name(node.func)
    if any(word.endswith(f".{name}") for word in _written_coroutines()):
        is_written = after.qualified_name(module, node.func) in _written_coroutines()
        return _NOT_AWAITED if is_written and _is_unread(after, module, node) else ""
    called = value_behind(module, node.func)
    if isinstance(called, ast.Attribute) and called.attr in _COROUTINES:
        return _NOT_AWAITED if _is_unread(after, module, node) else ""
    if not isinstance(called, ast.Attribute) or called.attr not in _methods():
        return ""
    owner = called.value
    if node.args and after.qualified_name(module, owner) in _session_classes():
        owner = node.args[0]  # `AsyncSession.commit(db)`
    name, kind = called.attr, _resource(after, module, owner)
    if kind is None:
        return ""
    if kind == "client":
        waits = name in twins().clients.awaited
    else:
        waits = name in _OWN or name in twins().awaited.get(kind, ())
    if waits:
        return _NOT_AWAITED if _is_unread(after, module, node) else ""
    is_entered = name in twins().entered.get(kind, ())
    return _NOT_ENTERED if is_entered and not _may_be_entered(module, node) else ""


def _is_unread(after: Project, module: Module, node: ast.Call) -> bool:
    return not {fate.kind for fate in after.effects.fates(module, node)} & RUN


@cache
def _methods() -> frozenset[str]:
    """Return the names of all methods of the asynchronous side that have to be awaited."""
    known = twins()
    tables = (*known.awaited.values(), *known.entered.values(), known.clients.awaited)
    return frozenset(chain(*tables, _OWN))


@cache
def _session_classes() -> frozenset[str]:
    """Return the names of the classes of asynchronous sessions."""
    return frozenset(twins().names[name] for name in session_classes())


@cache
def _written_coroutines() -> frozenset[str]:
    """Return the coroutine functions of libraries that the rule writes."""
    return frozenset({*twins().functions.values(), _SPAWN, _THREAD, "builtins.anext"})


def _may_be_entered(module: Module, node: ast.expr) -> bool:
    """Whether something may enter what ``node`` gives asynchronously, or awaits it."""
    above = module.parent(node)
    match above:
        case ast.Assign(targets=[ast.Name() as name]):
            reads = module.scopes.reads_of(name)
            return any(isinstance(module.parent(part), ast.Await | ast.withitem) for part in reads)
        case ast.withitem():
            return isinstance(module.parent(above), ast.AsyncWith)
        case ast.Expr():
            return False
        case ast.Call():
            return last_name(above.func) != "enter_context"
    return True


def _resource(after: Project, module: Module, node: ast.expr) -> Resource | None:
    """Return which asynchronous resource an expression is."""
    session = after.orm.session_of(module, node)
    if isinstance(session, SessionProof):
        return "session" if session.kind.startswith("async") else None
    values = after.values.of(module, node)
    kinds = {_of_value(alternative) for alternative in values.alternatives}
    return kinds.pop() if len(kinds) == 1 and values.is_known else None


def _of_value(value: Value) -> Resource | None:
    match value:
        case InstanceOf():
            return _CLASSES.get(value.qualified)
        case Session(kind=kind) if kind.startswith("async"):
            return "session"
        case Producer(how="factory", inner=(Session(kind=kind),)) if kind.startswith("async"):
            return "factory"
    return None

"""Operations of the database: none that is awaited is synchronous, and none is lost."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.knowledge.asynchronous import Resource, twins
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

RUN = {"awaited", "run"}
"""What becomes of a coroutine that runs."""

_CLASSES: dict[str, Resource] = {
    "sqlalchemy.ext.asyncio.AsyncConnection": "connection",
    "sqlalchemy.ext.asyncio.AsyncEngine": "engine",
    "sqlalchemy.ext.asyncio.AsyncTransaction": "transaction",
}
_OWN = {"run_sync", "stream", "stream_scalars"}
"""Coroutine functions that the asynchronous side alone has."""


def synchronous(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the synchronous operations of a file that are awaited."""
    for operation in after.orm.operations(module):
        above = module.parent(operation.node)
        is_awaited = isinstance(above, ast.Await) or isinstance(
            None if above is None else module.parent(above), ast.AsyncWith
        )
        if operation.how != "unknown" and is_awaited:
            what = f"`{module.excerpt(operation.node)}` is awaited, and still synchronous"
            yield module.place(operation.node), what
    for call in after.object_factories.calls(module):
        what = f"`{module.excerpt(call)}` makes an object where it may not wait"
        yield module.place(call), what


def lost(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield the operations of asynchronous sessions and engines that nothing awaits."""
    awaited = {one for methods in twins().awaited.values() for one in methods} | _OWN
    entered = {one for methods in twins().entered.values() for one in methods}
    for node in module.walk():
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if (
                method in awaited or method in entered
            ):
                if isinstance(module.parent(node), ast.Await):
                    continue
                kind = _resource(after, module, receiver)
                if kind is None:
                    continue
                if method in _OWN or method in twins().awaited.get(kind, ()):
                    if not {one.kind for one in after.effects.fates(module, node)} & RUN:
                        what = f"`{module.excerpt(node)}` is an operation that nothing awaits"
                        yield module.place(node), what
                elif not _may_be_entered(module, node):
                    what = f"`{module.excerpt(node)}` is not entered asynchronously"
                    yield module.place(node), what
            case ast.withitem(context_expr=given) if isinstance(module.parent(node), ast.With):
                kind = _resource(after, module, given)
                if kind is not None and kind != "engine":
                    what = f"`{module.excerpt(given)}` is not entered asynchronously"
                    yield module.place(given), what
            case _:
                pass


def _may_be_entered(module: Module, node: ast.Call) -> bool:
    """Whether something may enter what ``node`` gives asynchronously, or awaits it."""
    above = module.parent(node)
    match above:
        case ast.withitem():
            return isinstance(module.parent(above), ast.AsyncWith)
        case ast.Expr():
            return False
        case ast.Call():
            return last_name(above.func) != "enter_context"
        case _:
            return True


def _resource(after: Project, module: Module, node: ast.expr) -> Resource | None:
    """Return which asynchronous resource an expression is."""
    session = after.orm.session_of(module, node)
    if isinstance(session, SessionProof):
        return "session" if session.kind.startswith("async") else None
    values = after.values.of(module, node)
    kinds = {
        _CLASSES.get(one.qualified) if isinstance(one, InstanceOf) else None
        for one in values.alternatives
    }
    return kinds.pop() if len(kinds) == 1 and values.is_known else None

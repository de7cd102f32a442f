"""Writes awaited expressions that have several lines as statements of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import (
    Delegated,
    Hoisted,
    Removed,
    Replaced,
    Wrapped,
)
from awaken.contract import Surroundings
from awaken.editing.arguments import code

_INDENTED = 8
"""What a line of a method begins with."""


def hoist(
    node: cst.BaseSmallStatement, data: Hoisted, around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``return db.scalars(...).all()`` → ``result = await db.scalars(...)``, and what uses it."""
    statement: Any = node
    awaited: Any = statement.value
    for _ in range(data.steps):
        awaited = _first(awaited)
    name = cst.Name(data.name)
    in_place = statement.deep_replace(
        awaited, cst.Await(awaited, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    )
    written = code(in_place)
    # Wherever it stands: how far it is indented, and by what, decides nothing.
    is_line = len(written.splitlines()) == 1
    if is_line and len(written) <= around.line_length - _INDENTED:
        return [cst.SimpleStatementLine([in_place])]
    using: Any = statement.deep_replace(awaited, name)
    assigned = cst.Assign([cst.AssignTarget(name)], cst.Await(awaited))
    return [cst.SimpleStatementLine([assigned]), cst.SimpleStatementLine([using])]


def _first(node: Any) -> Any:
    match node:
        case cst.Call():
            return node.func
        case cst.Attribute() | cst.Subscript():
            return node.value
        case _:
            return node.left


def remove(_node: Any, _data: Removed, _around: Surroundings) -> Any:
    """``Base.metadata.create_all(engine)`` → nothing: it stands in the lifespan."""
    return cst.RemoveFromParent()


def replace(_node: Any, data: Replaced, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``Base.metadata.create_all(engine)`` → the statements that do it asynchronously."""
    return cst.parse_module(data.code).body


def delegate(node: Any, data: Delegated, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``yield from rows()`` → ``async for item in rows(): yield item``."""
    item = cst.Name(data.item)
    body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Expr(cst.Yield(item))])])
    asynchronous = cst.Asynchronous() if data.is_asynchronous else None
    return [cst.For(item, node.value.value.item, body, asynchronous=asynchronous)]


def wrap(node: Any, data: Wrapped, _around: Surroundings) -> Any:
    """``create_engine(url)`` → ``create_engine(async_url(url))``."""
    names = ["" if one.keyword is None else one.keyword.value for one in node.args]
    argument = node.args[names.index(data.keyword)]
    value = cst.Call(cst.Name(data.function), [cst.Arg(argument.value)])
    return node.with_deep_changes(argument, value=value)

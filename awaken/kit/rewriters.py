"""Rewriters that any rule may use; ``Site`` makes the edits that name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.contract import Surroundings
from awaken.contract.rewriter_input import LoadOptions
from awaken.editing.call_arguments import (
    appended_call,
    fit_arguments,
    keyword_argument,
    without_argument,
)
from awaken.editing.relationships.load_options import with_load_options
from awaken.editing.relationships.relationship_loading import (
    with_backref,
    with_lazy,
    with_lazy_in_keywords,
)
from awaken.editing.session_blocks import with_sessions
from awaken.kit.payloads import (
    Argument,
    Backref,
    Keyword,
    Lazy,
    SessionBlocks,
    Statements,
)


def add_keyword(node: cst.Call, data: Keyword, around: Surroundings) -> cst.Call:
    """``create_engine(url)`` → ``create_engine(url, pool_pre_ping=True)``."""
    argument = keyword_argument(data.name, cst.parse_expression(data.value))
    return fit_arguments(appended_call(node, argument), around)


def remove_argument(node: cst.Call, data: Argument, _around: Surroundings) -> cst.Call:
    """``sleep(1, loop=loop)`` → ``sleep(1)``."""
    return without_argument(node, data.index)


def remove_statement(_node: Any, _data: None, _around: Surroundings) -> cst.RemovalSentinel:
    """``loop = asyncio.get_event_loop()`` → nothing."""
    return cst.RemoveFromParent()


def write_statements(
    _node: None, data: Statements, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """Return the statements as they are given, with the blank lines above them."""
    module = cst.parse_module(data.code)
    first: Any = module.body[0]
    above = [*module.header, *first.leading_lines]
    return [first.with_changes(leading_lines=above), *module.body[1:]]


def load_options(
    node: cst.BaseExpression, data: LoadOptions, around: Surroundings
) -> cst.BaseExpression:
    """``query(User).all()`` → ``query(User).options(selectinload(User.posts)).all()``."""
    return with_load_options(node, data, around)


def session_blocks(node: Any, data: SessionBlocks, _around: Surroundings) -> Any:
    """``s = Session(); f(s); s.close()`` → ``with Session() as s: f(s)``."""
    return with_sessions(node, data.blocks)


def set_lazy(node: cst.Call, data: Lazy, around: Surroundings) -> cst.Call:
    """``relationship("Post")`` → ``relationship("Post", lazy="raise")``."""
    return with_lazy(node, data.value, around)


def set_lazy_in_keywords(node: cst.Call, data: Lazy, around: Surroundings) -> cst.Call:
    """``Relationship()`` → ``Relationship(sa_relationship_kwargs={"lazy": "raise"})``."""
    return with_lazy_in_keywords(node, data.value, around, data.depth)


def make_backref(node: cst.Arg, data: Backref, _around: Surroundings) -> cst.Arg:
    """``backref="posts"`` → ``backref=backref("posts", lazy="raise")``."""
    return with_backref(node, data.value, data.function, data.depth)

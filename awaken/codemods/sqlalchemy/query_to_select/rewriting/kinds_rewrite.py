"""Writes the execution of a query that selects a class or columns, depending on the branch."""

from __future__ import annotations

from typing import Any

import libcst as cst
import msgspec

from awaken.codemods.sqlalchemy.query_to_select.payload import KindsRewrite
from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import rewrite_query
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, line_break


def rewrite_kinds(node: Any, data: KindsRewrite, around: Surroundings) -> cst.BaseExpression:
    """Write a conditional expression with one execution for each kind of query."""
    bare = node.with_changes(lpar=[], rpar=[])
    room = msgspec.structs.replace(around, breaks_around=True, parentheses=None)
    ways = [(test, rewrite_query(bare, rewrite, room)) for test, rewrite in data.ways]
    otherwise = rewrite_query(bare, data.otherwise, room)
    inline = _conditional(ways, otherwise, None)
    if around.breaks_around or _fits(inline, around):
        return inline
    return _conditional(ways, otherwise, around)


def _conditional(
    ways: list[tuple[str, cst.BaseExpression]],
    otherwise: cst.BaseExpression,
    around: Surroundings | None,
) -> cst.BaseExpression:
    """Return ``(a if test else b)``; each part on a line of its own if ``around`` is given."""
    space: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    opens, closes = cst.LeftParen(), cst.RightParen()
    if around is not None:
        space = line_break(around.line_indent + around.indent)
        opens = cst.LeftParen(whitespace_after=space)
        closes = cst.RightParen(whitespace_before=line_break(around.line_indent))
    whole = otherwise
    for test, executed in reversed(ways):
        whole = cst.IfExp(
            test=cst.parse_expression(test),
            body=executed,
            orelse=whole,
            whitespace_before_if=space,
            whitespace_before_else=space,
        )
    return whole.with_changes(lpar=[opens], rpar=[closes])


def _fits(whole: cst.BaseExpression, around: Surroundings) -> bool:
    text = code(whole)
    return "\n" not in text and around.column + len(text) + around.trailing <= around.line_length

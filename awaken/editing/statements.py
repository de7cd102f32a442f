"""Statements as LibCST nodes: the results of a rewriter, and how they replace a line."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import dropwhile
from typing import Any

import libcst as cst

from awaken.editing.pragmas import is_for_tools


def as_statements(result: Any) -> list[cst.BaseStatement] | None:
    """Return what a rewriter gave as a list of statements, each on lines of its own.

    Takes one statement, any sequence of them, a ``FlattenSentinel`` or a ``RemovalSentinel``;
    small statements get a line each. None if it is anything else.
    """
    if isinstance(result, cst.RemovalSentinel):
        return []
    if isinstance(result, cst.BaseStatement | cst.BaseSmallStatement):
        result = [result]
    if not isinstance(result, Iterable) or isinstance(result, str | bytes):
        return None
    statements = list(result)
    if not all(isinstance(item, cst.BaseStatement | cst.BaseSmallStatement) for item in statements):
        return None
    return [_on_a_line(statement) for statement in statements]


def _on_a_line(statement: cst.BaseStatement | cst.BaseSmallStatement) -> cst.BaseStatement:
    if isinstance(statement, cst.BaseStatement):
        return statement
    return cst.SimpleStatementLine([statement])


def in_place_of_line(
    statements: list[cst.BaseStatement], line: cst.SimpleStatementLine
) -> list[cst.BaseStatement]:
    """Return ``statements`` with the comments of the ``line`` that they replace.

    Comments above the line stay above; the one at its end goes to the end of the last statement
    if that is one line without a comment, else above the first. One for a tool, such as `noqa`,
    counts for its line alone: it goes to the longest statement.
    """
    if not statements:
        return []
    above = list(line.leading_lines)
    comment = line.trailing_whitespace.comment
    at = len(statements) - 1
    if comment is not None and is_for_tools(comment.value):
        texts = [cst.Module([]).code_for_node(each).rstrip() for each in statements]
        at = max((len(text), n) for n, text in enumerate(texts) if n == at or "\n" not in text)[1]
    last = statements[at]
    if comment is None:
        pass
    elif isinstance(last, cst.SimpleStatementLine) and last.trailing_whitespace.comment is None:
        statements[at] = last.with_changes(trailing_whitespace=line.trailing_whitespace)
    else:
        above.append(cst.EmptyLine(comment=comment))
    first: Any = statements[0]
    statements[0] = first.with_changes(leading_lines=[*above, *first.leading_lines])
    return statements


def without_blank_lines(statement: Any) -> Any:
    """Return a statement without the blank lines above it, and above its comments."""
    lines = dropwhile(lambda line: line.comment is None, statement.leading_lines)
    return statement.with_changes(leading_lines=[*lines])


def as_block(body: cst.BaseSuite) -> cst.IndentedBlock:
    """Return a body as a block: the statements of ``def f(): a; b`` on lines of their own.

    The comment at the end of such a line stays at the end of the last one.
    """
    if isinstance(body, cst.IndentedBlock):
        return body
    suite = cst.ensure_type(body, cst.SimpleStatementSuite)
    *others, last = [
        cst.SimpleStatementLine([part.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
        for part in suite.body
    ]
    last = last.with_changes(trailing_whitespace=suite.trailing_whitespace)
    return cst.IndentedBlock([*others, last])

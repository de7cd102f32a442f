"""The rewriters: statements of the loop go, and a ``try`` loses the ``finally`` that held them."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from awaken.contract import Surroundings


def without_finally(
    node: cst.Try, _data: None, _around: Surroundings
) -> cst.Try | Sequence[cst.BaseStatement]:
    """Return the ``try`` without ``finally``; its statements alone if nothing else is caught."""
    if node.handlers:
        return node.with_changes(finalbody=None)
    body = cst.ensure_type(node.body, cst.IndentedBlock).body
    first = body[0]
    return [first.with_changes(leading_lines=[*node.leading_lines, *_lines(first)]), *body[1:]]


def _lines(statement: cst.BaseStatement) -> Sequence[cst.EmptyLine]:
    lines: Sequence[cst.EmptyLine] = getattr(statement, "leading_lines", ())
    return lines

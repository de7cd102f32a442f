"""Rewriters that any rule may use; ``Site`` makes the edits that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import libcst as cst

from awaken.contract import Rewriter, Surroundings
from awaken.editing.arguments import appended, fitted, keyword_argument
from awaken.kit.payloads import ADD_KEYWORD, WRITE_STATEMENTS, Keyword, Statements


def add_keyword(node: cst.Call, data: Keyword, around: Surroundings) -> cst.Call:
    """``create_engine(url)`` → ``create_engine(url, pool_pre_ping=True)``."""
    argument = keyword_argument(data.name, cst.parse_expression(data.value))
    return fitted(appended(node, argument), around)


def write_statements(
    _node: None, data: Statements, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """Return the statements as they are given."""
    return cst.parse_module(data.code).body


STANDARD: Mapping[str, Rewriter] = MappingProxyType(
    {ADD_KEYWORD: add_keyword, WRITE_STATEMENTS: write_statements}
)

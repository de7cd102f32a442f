"""Awaited calls in an f-string."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.kit.sites import Refused
from awaken.project.source.f_strings import is_placed, is_shown
from awaken.project.source.modules import Module

_OLD = "this f-string, because awaken runs on a Python older than 3.12"


def check_node(module: Module, node: ast.AST) -> None:
    """Raise Refused where ``node`` cannot be written again, because it is in an f-string."""
    if isinstance(node, ast.expr) and not is_placed(module, node):
        raise Refused(NOT_AWAITABLE_HERE, _OLD)


def check_formatted(module: Module, part: ast.FormattedValue) -> None:
    """Raise Refused where the value in braces cannot be written into."""
    if is_shown(module, part.value):
        raise Refused(NOT_AWAITABLE_HERE, "an f-string that shows its code")
    check_node(module, part.value)

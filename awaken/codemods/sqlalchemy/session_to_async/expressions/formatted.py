"""What is awaited in an f-string."""

from __future__ import annotations

import ast
import sys

from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module

_KNOWN = sys.version_info >= (3, 12)
"""Whether this Python knows where the parts of an f-string stand."""


_OLD = "this f-string, whose parts Python places only since 3.12"


def check_node(module: Module, node: ast.AST) -> None:
    """Raise Refused where ``node`` cannot be written anew, for it stands in an f-string."""
    if not _KNOWN and module.in_fstring(node):
        raise Refused(NOT_AWAITABLE_HERE, _OLD)


def check_formatted(module: Module, part: ast.FormattedValue) -> None:
    """Raise Refused where the value in braces cannot be written into."""
    value = part.value
    if not _KNOWN and not _is_placed(module, value):
        raise Refused(NOT_AWAITABLE_HERE, _OLD)
    behind = module.source.text[module.span(value).end :].lstrip(b" )\t\r\n")
    if behind.startswith(b"="):
        raise Refused(NOT_AWAITABLE_HERE, "an f-string that shows its code")


def _is_placed(module: Module, value: ast.expr) -> bool:
    """Whether ``value`` stands where an older Python says, as its text proves."""
    try:
        found = ast.parse(f"({module.text_of(value)})", mode="eval").body
    except (SyntaxError, UnicodeDecodeError):
        return False
    if ast.dump(found) != ast.dump(value):
        return False
    # Equal values may be taken for one and the same.
    span = module.span(value)
    outer = next(one for one in module.ancestors(value) if isinstance(one, ast.JoinedStr))
    there = module.span(outer)
    equal = [
        one
        for one in ast.walk(outer)
        if isinstance(one, ast.FormattedValue) and module.span(one.value) == span
    ]
    return len(equal) == 1 and there.start < span.start and span.end < there.end

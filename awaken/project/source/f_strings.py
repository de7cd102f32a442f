"""f-strings: the parts of a text, and their places.

``ast`` may report the places wrongly before Python 3.12.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

PLACES_PARTS = sys.version_info >= (3, 12)
"""Whether this Python knows where the parts of an f-string stand."""

_STAND_IN = "_awaken_stands_here"


def is_literal(node: ast.AST | None) -> bool:
    """Whether ``node`` is a constant or an f-string."""
    return isinstance(node, ast.Constant | ast.JoinedStr)


def text_parts(node: ast.expr) -> list[ast.expr]:
    """Return the parts of an f-string, or of a sum; nothing for other expressions."""
    match node:
        case ast.JoinedStr(values=parts):
            return parts
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [left, right]
    return []


def hides_places(node: ast.AST) -> bool:
    """Whether this Python does not know the places of the parts of ``node``, an f-string."""
    return isinstance(node, ast.JoinedStr) and not PLACES_PARTS


def has_long_text(node: ast.AST) -> bool:
    """Whether text over several lines is in ``node``: its lines cannot be moved."""
    return any(is_literal(part) and part.lineno != part.end_lineno for part in ast.walk(node))  # type: ignore[attr-defined]


def is_placed(module: Module, node: ast.expr) -> bool:
    """Whether an expression is at the place that ``Module.span`` gives.

    In an f-string of an older Python this needs proof: with another name in that place, only this
    expression differs.
    """
    outer = [ancestor for ancestor in module.ancestors(node) if hides_places(ancestor)]
    if not outer:
        return True
    whole, part = module.span(outer[-1]), module.span(node)
    if not whole.start < part.start < part.end < whole.end:
        return False
    text = module.source.text
    there = text[whole.start : part.start] + _STAND_IN.encode() + text[part.end : whole.end]
    try:
        result = ast.parse(f"({there.decode()})", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return not differs_apart(outer[-1], result, {node}, _STAND_IN)


def can_be_edited(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` may be written in another way: in an f-string, if nothing shows its code.

    There it must be on one line, and its place must be certain.
    """
    if not module.in_fstring(node):
        return True
    is_one_line = node.lineno == node.end_lineno
    return is_one_line and not is_shown(module, node) and is_placed(module, node)


def differs_apart(old: ast.AST, new: ast.AST, apart: Container[ast.AST], name: str = "") -> bool:
    """Whether two trees differ in more than the places of ``apart`` of the first.

    There the second has a ``name``, if one is given. Positions are not compared.
    """
    waiting: list[tuple[object, object]] = [(old, new)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, ast.AST) and one in apart:
            if name and not (isinstance(other, ast.Name) and other.id == name):
                return True
        elif type(one) is not type(other):
            return True
        elif isinstance(one, ast.AST):
            names = one._fields
            waiting.extend((getattr(one, each, None), getattr(other, each, None)) for each in names)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return True
            waiting.extend(zip(one, other, strict=True))
        elif one != other:
            return True
    return False


def is_shown(module: Module, node: ast.expr) -> bool:
    """Whether an f-string shows the code around an expression: ``f"{orders.count()=}"``."""
    return any(
        _shows(module, above)
        for above in module.ancestors(node)
        if isinstance(above, ast.FormattedValue)
    )


def _shows(module: Module, part: ast.FormattedValue) -> bool:
    behind = module.source.text[module.span(part.value).end :].lstrip(b" )\t\r\n")
    # `!=` belongs to the value, and a format may begin with `=` after a colon.
    return behind.startswith(b"=")

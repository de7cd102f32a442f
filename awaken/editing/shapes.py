"""The structure of a LibCST tree without its layout: what must survive printing and parsing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import libcst as cst

LAYOUT_TYPES = frozenset(
    {
        cst.SimpleWhitespace,
        cst.ParenthesizedWhitespace,
        cst.TrailingWhitespace,
        cst.EmptyLine,
        cst.Newline,
        cst.Comment,
        cst.Comma,
        cst.Semicolon,
        cst.Colon,
        cst.Dot,
        cst.AssignEqual,
        cst.LeftParen,
        cst.RightParen,
        cst.ParamStar,
        cst.ParamSlash,
        cst.MaybeSentinel,
    }
)
"""What holds nothing but layout. To look a type up is faster than `isinstance` with LibCST's
abstract classes."""
_LAYOUT_FIELDS = frozenset({
    "default_indent", "default_newline", "encoding", "footer", "has_trailing_newline", "header",
    "indent", "leading_lines", "lines_after_decorators", "lpar", "rpar",
})  # fmt: skip


def shape(root: cst.CSTNode) -> list[str]:
    """Return the types, names, operators and literals of the tree, in a fixed order.

    Two trees have the same shape if and only if they differ in white space, comments, commas and
    parentheses alone.
    """
    items: list[str] = []
    waiting: list[Any] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            items.append(item)
        elif type(item) not in LAYOUT_TYPES:
            # The closing mark tells `f(g(a), b)` from `f(g(a, b))`.
            waiting.append(")")
            waiting.extend(reversed(list(_parts(item))))
            items.append(type(item).__name__)
    return items


def _parts(node: cst.CSTNode) -> Iterator[Any]:
    if isinstance(node, cst.IndentedBlock) and not node.body:
        yield from ("body", cst.SimpleStatementLine([cst.Pass()]), "]")  # as it is printed
        return
    for name in _fields(type(node)):
        value = getattr(node, name)
        if not value or type(value) in LAYOUT_TYPES:
            continue
        yield name
        if isinstance(value, list | tuple):
            yield from value
            yield "]"
        else:
            yield value


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Return the fields that are not layout; a parameter's star is printed by its place."""
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(
        name
        for name in names
        if name not in _LAYOUT_FIELDS
        and "whitespace" not in name
        and not (kind is cst.Param and name == "star")
    )

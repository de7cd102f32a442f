"""The structure of a LibCST tree without its layout: what must survive printing and parsing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import libcst as cst

_LAYOUT_TYPES = (
    cst.BaseParenthesizableWhitespace,
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
)
_LAYOUT_FIELDS = frozenset(
    {
        "default_indent",
        "default_newline",
        "encoding",
        "footer",
        "has_trailing_newline",
        "header",
        "indent",
        "leading_lines",
        "lines_after_decorators",
        "lpar",
        "rpar",
    }
)


def shape(node: cst.CSTNode) -> Iterator[str]:
    """Yield the types, names, operators and literals of the tree, in a fixed order.

    Two trees have the same shape if and only if they differ in white space, comments, commas and
    parentheses alone.
    """
    yield type(node).__name__
    if isinstance(node, cst.IndentedBlock) and not node.body:
        yield from _field("body", [cst.SimpleStatementLine([cst.Pass()])])  # as it is printed
    elif isinstance(node, cst.Param):
        yield from _fields(node, without="star")  # printed by its place among the parameters
    else:
        yield from _fields(node)
    yield ")"


def _fields(node: cst.CSTNode, without: str = "") -> Iterator[str]:
    for field in dataclasses.fields(node):
        name = field.name
        if name != without and name not in _LAYOUT_FIELDS and "whitespace" not in name:
            yield from _field(name, getattr(node, name))


def _field(name: str, value: object) -> Iterator[str]:
    if value is None or isinstance(value, _LAYOUT_TYPES) or value == "":
        return
    if isinstance(value, cst.CSTNode):
        yield name
        yield from shape(value)
    elif isinstance(value, str):
        yield f"{name}={value}"
    elif isinstance(value, Sequence):
        yield f"{name}["
        for item in value:
            yield from _field("", item)
        yield "]"

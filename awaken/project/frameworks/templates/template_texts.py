"""The texts that an expression of Python may be: names of templates, and templates themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.f_strings import text_parts
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.worklist import LONGEST_TEXT

ANYTHING = "*"
"""What stands in a text for a part that is computed."""

_MOST = 20  # names for one call; a theme that chooses among more is not told
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*[0-9*]*(?:\.[0-9*]+)?[diouxXeEfFgGcrsa]")
_BRACES = re.compile(r"\{[^{}]*\}")


@recursive()
def texts_of(module: Module, node: ast.expr | None) -> tuple[str, ...] | None:
    """Return the texts that ``node`` may be, with ``ANYTHING`` in it; None if it may be any."""
    if node is None:
        return None
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.List() | ast.Tuple():
            return _any_of(module, node.elts)
        case ast.ListComp():
            return texts_of(module, node.elt)
        case ast.Name():
            return _any_of(module, assigned_nodes(module, node))
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return _names_together([_PERCENT.sub(ANYTHING, text)])
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return _names_together([_BRACES.sub(ANYTHING, text)])
        case _ if others := alternatives(node):
            return _any_of(module, others)
    return _names_together([_part(module, part) for part in text_parts(node)])


def assigned_nodes(module: Module, name: ast.Name) -> list[ast.expr | None]:
    """Return all that a variable is assigned in its file; None for what is not told."""
    scope = module.scopes.owner(name.id, module.scopes.scope_of(name))
    bindings = [] if scope is None else scope.bindings_of(name.id)
    return [item.value if item.kind == "assignment" else None for item in bindings] or [None]


def _any_of(module: Module, nodes: Iterable[ast.expr | None]) -> tuple[str, ...] | None:
    result: dict[str, None] = {}
    for node in nodes:
        texts = texts_of(module, node)
        if texts is None:
            return None
        result |= dict.fromkeys(texts)
    return tuple(result) if len(result) <= _MOST else None


def _part(module: Module, node: ast.expr) -> str:
    texts = None
    if not isinstance(node, ast.FormattedValue):
        texts = texts_of(module, node)
    elif node.conversion == -1 and node.format_spec is None:
        texts = texts_of(module, node.value)
    return texts[0] if texts is not None and len(texts) == 1 else ANYTHING


def _names_together(parts: list[str]) -> tuple[str, ...] | None:
    text = re.sub(r"\*+", ANYTHING, "".join(parts))
    return (text,) if text.strip("*/") and len(text) <= LONGEST_TEXT else None

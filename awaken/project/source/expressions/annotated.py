"""The types that an annotation admits, as they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none, last_name


def types_in(module: Module, annotation: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the types that ``annotation`` admits, None among them; none without an annotation."""
    match annotation:
        case ast.Constant(value=str()):
            yield from types_in(module, module.parse_string(annotation))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from types_in(module, left)
            yield from types_in(module, right)
        case ast.Subscript(value=value, slice=inner) if last_name(value) == "Optional":
            yield from types_in(module, inner)
            yield ast.copy_location(ast.Constant(None), annotation)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=elements)) if last_name(value) in {
            "Annotated",
            "Union",
        }:
            for element in elements if last_name(value) == "Union" else elements[:1]:
                yield from types_in(module, element)
        case ast.expr():
            yield annotation


def type_in(module: Module, annotation: ast.expr | None) -> ast.expr | None:
    """Return the only type that ``annotation`` admits, None aside; None if there are more."""
    types = [node for node in types_in(module, annotation) if not is_none(node)]
    return types[0] if len(types) == 1 else None

"""Lists that code writes out, puts together and adds to: the parts, by their syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name


class ListPart(NamedTuple):
    """A part of a list: one ``element``, one that each round makes, or the ``rest``.

    The rest is another list, which is not written out here.
    """

    node: ast.expr
    kind: Literal["element", "each", "rest"]


def list_parts(module: Module, node: ast.expr) -> Iterator[ListPart]:
    """Yield what the list or tuple ``node`` is put together from."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                if isinstance(element, ast.Starred):
                    yield from list_parts(module, element.value)
                else:
                    yield ListPart(element, "element")
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            yield ListPart(element, "each")
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from list_parts(module, left)
            yield from list_parts(module, right)
        case ast.Call(args=[copied], keywords=[]) if module.scopes.builtin_called(node) in {
            "list",
            "tuple",
        }:
            yield from list_parts(module, copied)
        case _:
            yield ListPart(node, "rest")


def bound_list(module: Module, binding: Binding) -> ast.expr | None:
    """Return the list that ``binding`` gives a name, or adds by ``+=``; None for other bindings."""
    above = module.parent(binding.node)
    if isinstance(above, ast.AugAssign):
        return above.value if isinstance(above.op, ast.Add) else None
    return binding.value if binding.kind in {"assignment", "walrus"} else None


def append_call(module: Module, node: ast.expr) -> tuple[ast.Call, ast.expr] | None:
    """Return the statement that appends to the list ``node``, and what it appends; else None."""
    call = module.method_call_on(node)
    if call is None or last_name(call.func) != "append" or call.keywords or len(call.args) != 1:
        return None
    return (call, call.args[0]) if isinstance(module.parent(call), ast.Expr) else None


def added_parts(module: Module, read: ast.Name) -> list[ListPart] | None:
    """Return what the method called on a list at ``read`` adds to it; None for all other uses."""
    call = module.method_call_on(read)
    match "" if call is None else last_name(call.func), [] if call is None else call.args:
        case ("append", [added]) | ("insert", [_, added]) if not isinstance(added, ast.Starred):
            return [ListPart(added, "element")]
        case "extend", [added]:
            return list(list_parts(module, added))
    return None

"""Applications that may be None: a client with ``app=None`` talks to the network."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.source.expressions.annotated import types_in

if TYPE_CHECKING:
    from awaken.project.source.modules import Module
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.trees import is_none


def may_be_none(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is visibly None on some path."""
    match node:
        case ast.Constant():
            return node.value is None
        case ast.BoolOp():
            # Only the last value of `a or b` is taken although it is false.
            return may_be_none(module, node.values[-1])
        case ast.Name():
            return any(
                is_none(binding.value) or _is_optional(module, binding.annotation)
                for binding in module.scopes.bindings_of(node)
            )
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return _attribute_may_be_none(module, node, name)
        case _:
            parts = [part for part in branches(node) if part is not node]
            return any(may_be_none(module, part) for part in parts)


def _is_optional(module: Module, annotation: ast.expr | None) -> bool:
    return any(map(is_none, types_in(module, annotation)))


def _attribute_may_be_none(module: Module, node: ast.Attribute, name: str) -> bool:
    """Whether the class around ``node`` gives None to its attribute ``name`` somewhere."""
    around = module.enclosing_class(node)
    for part in () if around is None else module.walk(around):
        match part:
            case ast.Assign(targets=[*targets], value=value):
                if any(_is_named(target, name) for target in targets) and is_none(value):
                    return True
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                if _is_named(target, name) and (is_none(value) or _is_optional(module, annotation)):
                    return True
    return False


def _is_named(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=found) | ast.Name(id=found):
            return found == name
    return False

"""Methods that a program asks for by ``getattr``, with a text that says which, and then calls."""

from __future__ import annotations

import ast
from typing import NamedTuple

from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module


class Asked(NamedTuple):
    """``getattr(owner, "name", otherwise)``; ``otherwise`` is None where it is not given."""

    owner: ast.expr
    attribute: ast.Attribute
    otherwise: ast.expr | None = None


def asked_attributes(module: Module, function: ast.Name) -> list[Asked] | None:
    """Return what the variable ``function`` was asked of objects for; None if it is anything else.

    ``load = getattr(data, "load_all", None) or getattr(data, "load", None)``: one of these, if only
    calls and tests read the variable.
    """
    bindings = module.scopes.bindings_of(function)
    value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assignment" else None
    if value is None or not isinstance(bindings[0].node, ast.Name):
        return None
    methods = _asked_methods(module, value)
    if methods is None:
        return None
    reads = bindings[0].scope.reads.get(function.id, [])
    return methods if all(_is_called_or_tested(module, read) for read in reads) else None


def _asked_methods(module: Module, value: ast.expr) -> list[Asked] | None:
    match value:
        case ast.BoolOp(op=ast.Or(), values=values):
            methods = [_asked_methods(module, node) for node in values]
            if any(candidate is None for candidate in methods):
                return None
            return [each for candidate in methods if candidate is not None for each in candidate]
        case ast.Call(args=[owner, ast.Constant(value=str(name)), *rest], keywords=[]) if (
            module.scopes.builtin_called(value) == "getattr" and name.isidentifier()
        ):
            attribute = ast.copy_location(ast.Attribute(owner, name, ast.Load()), value)
            return [Asked(owner, attribute, rest[0] if rest else None)]
    return None


def _is_called_or_tested(module: Module, read: ast.Name) -> bool:
    match module.parent(read):
        case ast.Call(func=func):
            return func is read
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return is_tested(module, read)

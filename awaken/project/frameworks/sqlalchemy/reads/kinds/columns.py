"""Expressions that give the columns of a mapped class, or its relationships, by how they look."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

# Of a table or a mapper these are columns alone, as `column_attrs` of a mapper is.
_COLUMNS = {"c", "columns"}


def is_of_columns(module: Module, node: ast.expr | None) -> bool:
    """Whether ``node`` gives columns or their names: ``cls.__table__.columns.keys()``."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "set" | "sorted" | "tuple"), args=[inner, *_]):
            return is_of_columns(module, inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="keys" | "items" | "values")):
            return is_of_columns(module, inner)
        case ast.Attribute():
            is_own = node.attr in _COLUMNS and _is_of_mapping(module, node.value)
            return is_own or node.attr == "column_attrs"
    return False


def _is_of_mapping(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is the table or the mapper of a class, by how it is written."""
    match module.scopes.only_value(node) or node:
        case ast.Attribute(attr="__table__" | "__mapper__" | "mapper"):
            return True
        case ast.Call(func=func):
            return _imported_name(module, func) in {"class_mapper", "inspect", "object_mapper"}
    return False


def _imported_name(module: Module, func: ast.expr) -> str:
    """Return the name of a function in the file that it is imported from."""
    binding = module.scopes.only_binding(func, "import")
    if binding is not None and isinstance(binding.node, ast.alias):
        return binding.node.name.rpartition(".")[2]
    return last_name(func)

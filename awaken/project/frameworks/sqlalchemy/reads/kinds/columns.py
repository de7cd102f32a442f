"""Expressions that give the columns of a mapped class, or its relationships, by how they look."""

from __future__ import annotations

import ast

# Of a table or a mapper these are columns alone, as `column_attrs` of a mapper is.
_COLUMNS = {"c", "columns"}


def is_of_columns(node: ast.expr | None) -> bool:
    """Whether ``node`` gives columns or their names: ``cls.__table__.columns.keys()``."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "set" | "sorted" | "tuple"), args=[inner, *_]):
            return is_of_columns(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="keys" | "items" | "values")):
            return is_of_columns(inner)
        case ast.Attribute():
            is_own = node.attr in _COLUMNS and _is_of_mapping(node.value)
            return is_own or node.attr == "column_attrs"
    return False


def _is_of_mapping(node: ast.expr) -> bool:
    """Whether ``node`` is the table or the mapper of a class, by how it is written."""
    match node:
        case ast.Attribute(attr="__table__" | "__mapper__" | "mapper"):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in {"class_mapper", "inspect", "object_mapper"}
    return False

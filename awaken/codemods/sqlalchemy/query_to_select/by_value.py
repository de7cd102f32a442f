"""Reads unknown items by where their value comes from, over functions and files."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.classes import is_mapped
from awaken.codemods.sqlalchemy.query_to_select.items import Item, What
from awaken.codemods.sqlalchemy.query_to_select.names import Reader


def read_by_value(reader: Reader, item: Item) -> Item:
    """Return what an unknown item is if its value, or the owner of the attribute, is mapped.

    Which class it is, is left open: subclasses may replace attributes.
    """
    node = item.node
    if item.what is not What.UNKNOWN:
        return item
    if is_mapped_value(reader, node):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if isinstance(node, ast.Attribute) and is_mapped_value(reader, node.value):
        owner = ast.unparse(node.value)
        return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    return item


def is_mapped_value(reader: Reader, node: ast.expr) -> bool:
    """Whether the value of ``node`` is a mapped class, whatever gives it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return False
    found = reader.project.classes_of(reader.module, node)
    return bool(found) and all(is_mapped(reader, one) for one in found)

"""Unknown items, read by where their value comes from, over functions and files."""

from __future__ import annotations

import ast

from awaken.project.frameworks.loads.certainty import WEAK
from awaken.project.frameworks.loads.mapped_classes import entity_of_attribute, is_mapped
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.frameworks.sqlalchemy.mapped_attributes import INSTRUMENTED
from awaken.project.source.programs.undefined import is_undefined


def read_by_value(reader: ModuleReader, item: Item) -> Item:
    """Return what an unknown item is if its value, or the owner of the attribute, is mapped.

    Which class it is, is left open: subclasses may replace attributes.
    """
    node = item.node
    if item.what is not What.UNKNOWN:
        return item
    # Nothing is selected where a name has no value: reading it raises NameError before.
    if is_mapped_value(reader, node) or is_undefined(reader.project, reader.module, node):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if isinstance(node, ast.Attribute) and is_mapped_value(reader, node.value):
        owner = ast.unparse(node.value)
        return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    if reader.project.instance_of(reader.module, node) == (INSTRUMENTED,):
        return Item(node, What.EXPRESSION, key="", orm=True, mixed=True, hashable=None)
    return _noted_item(reader, node) or item


def _noted_item(reader: ModuleReader, node: ast.expr) -> Item | None:
    """``self.access.model`` where the class of ``access`` annotates it: ``model: type[Base]``.

    No class that inherits from that one may hold something else there.
    """
    value = reader.only_value(node) if isinstance(node, ast.Name) else node
    if not isinstance(value, ast.Attribute):
        return None
    project = reader.project
    owners = project.classes_of(reader.module, value.value)
    owners = owners or project.instance_of(reader.module, value.value)
    items = [entity_of_attribute(reader, value, owner) for owner in owners]
    if not items or any(item is None for item in items):
        return None
    return Item(node, What.ENTITY, owner=ast.unparse(node), certainty=WEAK)


def is_mapped_value(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether the value of ``node`` is a mapped class, whatever gives it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return False
    classes = reader.project.classes_of(reader.module, node)
    return bool(classes) and all(is_mapped(reader, name) for name in classes)

"""Expressions that are classes of automap: ``Base.classes.user``, and functions that return one."""

from __future__ import annotations

import ast

from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.graph.dispatch import Called
from awaken.project.values.library.automap_classes import AUTOMAP_CLASS

_FOLLOWED = 3  # variables and functions, one behind the other


def is_automapped(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether ``node`` is a class of automap, and no code can replace it."""
    if not reader.project.orm.automap.is_used:
        return False
    # Most entities are cheap to recognize: only then the value is worked out.
    if not _may_be(reader, node, _FOLLOWED):
        return False
    return reader.project.classes_of(reader.module, node) == (AUTOMAP_CLASS,)


def _may_be(reader: ModuleReader, node: ast.expr, left: int) -> bool:
    match node:
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            return _are_classes(reader, owner)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, _]):
            return _are_classes(reader, owner)
        case ast.Call() if left:
            called = reader.project.calls.function_called(reader.module, node)
            if not isinstance(called, Called) or called.module.is_generator(called.function):
                return False
            there = ModuleReader(reader.project, called.module)
            returned = called.module.returned_by(called.function)
            return bool(returned) and all(_may_be(there, part, left - 1) for part in returned)
        case ast.Name() if left:
            value = reader.only_value(node)
            return value is not None and _may_be(reader, value, left - 1)
    return False


def _are_classes(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether ``node`` is written as ``Base.classes``, of a variable that is no parameter."""
    if isinstance(node, ast.Name):
        value = reader.only_value(node)
        return isinstance(value, ast.Attribute) and _are_classes(reader, value)
    match node:
        case ast.Attribute(value=ast.Name() as base, attr="classes"):
            return all(binding.kind != "parameter" for binding in reader.bindings(base))
        # ``models.Base.classes``, where `models` is a module.
        case ast.Attribute(value=ast.Attribute() as base, attr="classes"):
            name = reader.qualified_name(base)
            return name is not None and reader.project.definition(name) is not None
    return False

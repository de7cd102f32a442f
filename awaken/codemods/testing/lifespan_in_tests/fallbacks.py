"""Reads of state that work before anything has set it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import library_names
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project

_RAISED = library_names().catching_all | {
    "builtins.AttributeError", "builtins.KeyError", "builtins.LookupError", "builtins.NameError",
}  # fmt: skip
_ASKING = {"get", "getattr", "hasattr", "setdefault"}


def has_initial_value(home: Module, name: str) -> bool:
    """Whether the top of a file gives a global name a value that requests can use."""
    bindings = home.scopes.module.bindings.get(name, [])
    values = [binding.value for binding in bindings if binding.kind == "assignment"]
    return any(value is not None and not _is_empty(value) for value in values)


def has_fallback(project: Project, module: Module, function: Function, read: ast.AST) -> bool:
    """Whether the code around a read expects that nothing is set yet."""
    for guard in project.effects.guards(module, read):
        if guard.ends is not None or not _RAISED.isdisjoint(guard.catches):
            return True
    name = last_name(read)
    for below, above in module.steps_up(read):
        if isinstance(above, ast.BoolOp) and below is not above.values[-1]:
            return True
        if above is function:
            break
    return any(_asks(module, node, name) for node in module.walk(function))


def _asks(module: Module, node: ast.AST, name: str) -> bool:
    """Whether a node tests if something of this name is set."""
    match node:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
            return name in {last_name(left), *map(last_name, node.comparators)}
        case ast.Call(func=ast.Name(id="getattr"), args=[_, _]):
            return False
        case ast.Call(func=ast.Name(id=called), args=[_, key, *_]) if called in _ASKING:
            return isinstance(key, ast.Constant) and key.value == name
        case ast.Call(func=ast.Attribute(value=owner, attr=called)) if called in _ASKING:
            return last_name(owner) == name
    return last_name(node) == name and is_tested(module, node)


def _is_empty(value: ast.expr) -> bool:
    """Whether a value says that nothing is there: None, an empty container."""
    match value:
        case ast.Constant(value=None) | ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="dict" | "list" | "set"), args=[], keywords=[]):
            return True
    return False

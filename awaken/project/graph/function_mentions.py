"""Mentions of a function by its name, apart from its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.trees import Function


def mentions_of(project: Program, module: Module, function: Function) -> Iterator[Place]:
    """Yield what may refer to ``function``, in its own file and in all others.

    Its own file is searched for the name in its scope and for strings. Others are searched for
    imports, for reads from its module, and for strings with the module (``"main:startup"``).
    """
    name = function.name
    scope = module.scopes.scope_of(function)
    for node in module.mentions(name):
        scopes = module.scopes
        reads = isinstance(node, ast.Name) and scopes.owner(name, scopes.scope_of(node)) is scope
        if reads or (isinstance(node, ast.Constant) and _names(module, name, node)):
            yield module.place(node)
    exported = scope.kind == "module" and name in _exports(module)
    if exported:
        yield module.place(function)
    if scope.kind != "module":
        return
    for other in project.modules_at(project.files_with([name.encode()])):
        for node in other.mentions(name) if other.path != module.path else ():
            if _refers(project, other, node, module, name):
                yield other.place(node)


def _exports(module: Module) -> set[str]:
    values = [item.value for item in module.scopes.module.bindings.get("__all__", []) if item.value]
    return {
        node.value
        for value in values
        for node in module.nodes_below(value, ast.Constant)
        if isinstance(node.value, str)
    }


def _names(home: Module, name: str, node: ast.Constant) -> bool:
    """Whether a string names the function after its module, as ``"app.main:startup"`` does."""
    if not isinstance(node.value, str):
        return False
    last = home.name.rpartition(".")[2]
    return any(node.value.endswith(f"{last}{mark}{name}") for mark in (".", ":"))


def _refers(project: Program, other: Module, node: ast.AST, home: Module, name: str) -> bool:
    match node:
        case ast.Constant():
            return _names(home, name, node)
        case ast.Name() | ast.Attribute():
            if project.qualified_name(other, node) == f"{home.name}.{name}":
                return True
            last = home.name.rpartition(".")[2]
            # A name equal to the module's counts as the module, if nothing else defines it.
            value = node.value if isinstance(node, ast.Attribute) else None
            return isinstance(value, ast.Name) and value.id == last
        case ast.alias():
            statement = other.parent(node)
            if not isinstance(statement, ast.ImportFrom):
                return False
            source = statement.module or ""
            # ``from . import startup`` names no module.
            return source.rpartition(".")[2] in {home.name.rpartition(".")[2], ""}
    return False

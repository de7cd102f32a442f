"""Other dependencies of an endpoint that use the session of the same provider."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.knowledge.injection import injection
from awaken.project.source.trees import Function, parameters_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ENDING = {"begin", "commit", "expire_all", "expunge_all", "flush", "rollback"}
"""Methods of a session that concern objects of other users of the session too."""


def ends_transaction(module: Module, block: ast.AST) -> bool:
    """Whether a block calls a method of a session that concerns all of its objects."""
    methods = (one.func for one in module.walk(block) if isinstance(one, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in _ENDING for one in methods)


def uses(project: Project, module: Module, endpoint: Function, provider: str) -> bool:
    """Whether the body of an endpoint reads a parameter that gets what ``provider`` yields.

    ``provider`` is a qualified name.
    """
    read = {
        node.id
        for statement in endpoint.body
        for node in module.walk(statement)
        if isinstance(node, ast.Name)
    }
    return any(
        provider in _injected(project, module, node)
        for parameter, default in parameters_of(endpoint.args)
        for node in (parameter.annotation, default)
        if node is not None and parameter.arg in read
    )


def sharing_dependency(
    project: Project, module: Module, endpoint: Function, provider: str
) -> tuple[str, Place] | None:
    """Return a dependency of an endpoint that uses the session which ``provider`` yields.

    ``provider`` is a qualified name. The result is a name and a place; None if no visible one does.
    """
    waiting = [(module, node) for node in (endpoint.args, *endpoint.decorator_list)]
    waiting += _for_all_routes(project)
    seen: set[str] = set()
    while waiting:
        home, node = waiting.pop()
        for name in _injected(project, home, node):
            definition = project.definition(name) if name not in seen else None
            seen.add(name)
            below = None if definition is None else project.module(definition.path)
            function = below.function_at(definition.span.start) if definition and below else None
            if below is None or function is None:
                continue
            if provider in _injected(project, below, function.args):
                return function.name, below.place(function)
            waiting.append((below, function.args))
    return None


def _for_all_routes(project: Project) -> list[tuple[Module, ast.AST]]:
    """Return the lists of dependencies that applications and routers give to their endpoints."""
    return [
        (module, node.value)
        for module in modules_with(project, (b"dependencies",))
        for node in module.walk()
        if isinstance(node, ast.keyword) and node.arg == "dependencies"
        if isinstance(module.statement_of(node), ast.Assign | ast.Expr)
    ]


def _injected(project: Project, module: Module, node: ast.AST) -> set[str]:
    """Return the qualified names of what code injects, by itself or by an alias."""
    names: set[str] = set()
    for one in module.walk(node):
        if isinstance(one, ast.Call) and one.args:
            if project.qualified_name(module, one.func) in injection().dependencies:
                names.add(project.qualified_name(module, one.args[0]) or "")
        elif isinstance(one, ast.Name | ast.Attribute):
            names |= _of_alias(project, project.qualified_name(module, one) or "")
    return names - {""}


def _of_alias(project: Project, name: str) -> set[str]:
    """Return what ``Alias = Annotated[..., Depends(...)]`` injects; empty for other names."""
    definition = project.definition(name)
    home = None if definition is None else project.module(definition.path)
    for statement in home.tree.body if home is not None else ():
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=alias)], value=ast.Subscript(slice=ast.Tuple(elts=[_, *marks]))
            ) if home is not None and f"{home.name}.{alias}" == name:
                return {each for mark in marks for each in _injected(project, home, mark)}
            case _:
                pass
    return set()

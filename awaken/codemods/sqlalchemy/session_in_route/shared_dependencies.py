"""Other dependencies of an endpoint that use the session of the same provider."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.project.names.functions.injections import Provider
from awaken.project.source.trees import Function, parameters_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_ENDING = {"begin", "commit", "expire_all", "expunge_all", "flush", "rollback"}
"""Methods of a session that concern objects of other users of the session too."""
_CLOSING = {"begin_nested", "close", "invalidate", "reset"}
"""The same, if the method is one of a session: other things have them as well."""


def ends_transaction(module: Module, block: ast.AST, session: str) -> bool:
    """Whether a block calls a method of the variable ``session`` that concerns all its objects."""
    for call in module.nodes_below(block, ast.Call):
        match call.func:
            case ast.Attribute(attr=method) if method in _ENDING:
                return True
            case ast.Attribute(value=ast.Name(id=owner), attr=method) if owner == session:
                if method in _CLOSING:
                    return True
    return False


def uses(project: Project, module: Module, endpoint: Function, provider: str) -> bool:
    """Whether the body of an endpoint reads a parameter that gets what ``provider`` yields.

    ``provider`` is a qualified name.
    """
    names = {
        node.id for statement in endpoint.body for node in module.nodes_below(statement, ast.Name)
    }
    return any(
        _has(project, project.injections.of_parameter(module, parameter, default), provider)
        for parameter, default in parameters_of(endpoint.args)
        if parameter.arg in names
    )


def sharing_dependency(
    project: Project, module: Module, endpoint: Function, provider: str
) -> tuple[str, Place] | None:
    """Return a dependency of an endpoint that uses the session which ``provider`` yields.

    ``provider`` is a qualified name. The result is a name and a place; None if no visible one does.
    """
    providers = [*project.injections.of_function(module, endpoint), *_of_all_routes(project)]
    for home, function in project.web.endpoints.depended_on(providers):
        if _has(project, project.injections.of_function(home, function), provider):
            return function.name, home.place(function)
    return None


def _has(project: Project, providers: Iterable[Provider], name: str) -> bool:
    return any(project.qualified_name(*provider) == name for provider in providers)


def _of_all_routes(project: Project) -> Iterator[Provider]:
    """Yield the dependencies that applications and routers give to their endpoints."""
    for module, node in nodes_with(project, (b"dependencies",), ast.keyword):
        if node.arg != "dependencies":
            continue
        if isinstance(module.statement_of(node), ast.Assign | ast.Expr):
            yield from project.injections.providers_below(module, node.value)

"""Replacements of dependencies in tests: `app.dependency_overrides[get_db] = ...`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_of_program
from awaken.project.source.trees import last_name
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

_OVERRIDES = "dependency_overrides"


def overrides_of(project: Project) -> Iterator[tuple[Module, ast.expr, ast.expr]]:
    """Yield what tests put in the place of dependencies: the key, and what is called for it."""
    for module in modules_with(project, (_OVERRIDES.encode(),), is_of_program):
        for node in module.walk():
            pairs: list[tuple[ast.expr | None, ast.expr]] = []
            match node:
                case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)], value=value) if (
                    last_name(owner) == _OVERRIDES
                ):
                    pairs = [(key, value)]
                case ast.Assign(targets=[owner], value=ast.Dict(keys=keys, values=values)) if (
                    last_name(owner) == _OVERRIDES
                ):
                    pairs = [*zip(keys, values, strict=True)]
                case ast.Call(
                    func=ast.Attribute(value=owner, attr="update"),
                    args=[ast.Dict(keys=keys, values=values)],
                ) if last_name(owner) == _OVERRIDES:
                    pairs = [*zip(keys, values, strict=True)]
            for part, given in pairs:
                if part is not None:
                    yield module, part, given


def called_node(function: ast.expr) -> ast.expr:
    """Return what a call of ``function`` gives: the body of a lambda, or the call itself."""
    if isinstance(function, ast.Lambda):
        return function.body
    call = ast.Call(func=function, args=[], keywords=[])
    return ast.fix_missing_locations(ast.copy_location(call, function))


def given_by(
    project: Project, module: Module, function: ast.expr
) -> Iterator[tuple[Module, ast.expr]]:
    """Yield what a dependency gives, as it is written: by a lambda, or by a function."""
    if isinstance(function, ast.Lambda):
        yield module, function.body
        return
    for value in project.values.of(module, function).alternatives:
        if isinstance(value, FunctionOf) and not isinstance(value.node, ast.Lambda):
            for node in value.module.walk(value.node):
                if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
                    yield value.module, node.value


def class_named(project: Project, module: Module, node: ast.expr) -> str:
    """Return the class of the program that ``node`` names; empty if it names none."""
    name = project.qualified_name(module, node)
    return name if name is not None and project.class_facts(name) is not None else ""


def class_of_dependency(project: Project, module: Module, key: ast.expr) -> str:
    """Return the class of the program of which a dependency gives an object."""
    named = class_named(project, module, key)
    if named:
        return named
    for value in project.values.of(module, key).alternatives:
        returns = (
            None if not isinstance(value, FunctionOf) else getattr(value.node, "returns", None)
        )
        if isinstance(value, FunctionOf) and isinstance(returns, ast.Name | ast.Attribute):
            return class_named(project, value.module, returns)
    return ""

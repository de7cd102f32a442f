"""Replacements of dependencies in tests: `app.dependency_overrides[get_db] = ...`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.names.functions.injections import OVERRIDES, overrides_in
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_of_program
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project


def overrides_of(project: Project) -> Iterator[tuple[Module, ast.expr, ast.expr]]:
    """Yield what tests put in the place of dependencies: the key, and what is called for it."""
    for module in modules_with(project, (OVERRIDES.encode(),), is_of_program):
        yield from ((module, key, given) for key, given in overrides_in(module))


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
    for home, node in functions_in(project.values.of(module, function).alternatives):
        yield from ((home, part) for part in home.outputs_of(node))


def class_named(project: Project, module: Module, node: ast.expr) -> str:
    """Return the class of the program that ``node`` names; empty if it names none."""
    name = project.qualified_name(module, node)
    return name if name is not None and project.class_facts(name) is not None else ""


def class_of_dependency(project: Project, module: Module, key: ast.expr) -> str:
    """Return the class of the program of which a dependency gives an object."""
    named = class_named(project, module, key)
    if named:
        return named
    for home, function in functions_in(project.values.of(module, key).alternatives):
        if isinstance(function.returns, ast.Name | ast.Attribute):
            return class_named(project, home, function.returns)
    return ""

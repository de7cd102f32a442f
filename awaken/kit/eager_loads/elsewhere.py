"""Loader options that a statement may get in other places than where it begins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.eager_loads.loader_options import LOADING, Option, given_at
from awaken.kit.eager_loads.loading_statements import Statement
from awaken.kit.search import modules_with
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project

_WORDS = tuple(sorted(f"{name}(".encode() for name in LOADING))
_BEGINS = frozenset({"query", "select"})


def options_elsewhere(project: Project, statement: Statement) -> list[Option]:
    """Return the options that may be put on the statement where others go on with it."""
    if statement.leaves:
        modules = modules_with(project, _WORDS)
        return [
            option
            for module in modules
            for option in _other_options(project, module, None, statement)
        ]
    if statement.around is None:
        return []
    return list(_other_options(project, statement.module, statement.around, statement))


def _other_options(
    project: Project, module: Module, around: ast.AST | None, statement: Statement
) -> Iterator[Option]:
    for node in module.walk(around):
        if not isinstance(node, ast.Call) or last_name(node.func) != "options":
            continue
        if node in statement.calls or _begins_itself(node):
            continue
        for argument in node.args:
            for option in given_at(project, module, argument).options or ():
                yield from option.walk()


def _begins_itself(call: ast.Call) -> bool:
    """Whether the statement that is given options begins in the same expression."""
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _BEGINS:
            return True
        node = node.func.value
    # A variable may be called `query`.
    begin = node.func if isinstance(node, ast.Call) else node
    return last_name(begin) in _BEGINS and not isinstance(node, ast.Name)

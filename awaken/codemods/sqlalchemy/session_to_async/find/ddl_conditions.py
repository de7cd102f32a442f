"""Conditions of DDL: SQLAlchemy asks them while it makes tables, with the synchronous connection.

``CreateView(...).execute_if(callable_=view_is_missing)``: that is in the greenlet of `run_sync`, so
they stay plain functions.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.kit.search import uses_of
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_PARTIAL = "functools.partial"


def is_in_condition(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in a function that is used for nothing but such conditions."""
    function = module.enclosing_def(node)
    return isinstance(function, ast.FunctionDef) and _is_condition(
        project, module, function, frozenset()
    )


def _is_condition(
    project: Project, module: Module, function: ast.FunctionDef, seen: frozenset[str]
) -> bool:
    if module.parent(function) is not module.tree or function.decorator_list:
        return False
    if b"execute_if" not in module.source.text:
        return False
    qualified = f"{module.name}.{function.name}"
    uses = 0
    for other, mention in uses_of(project, {qualified}):
        uses += 1
        if not _asks(project, other, mention) and not _is_called_by_one(
            project, module, other, mention, seen | {function.name}
        ):
            return False
    return uses > 0


def _asks(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node``, a function, is given as a condition: itself, or as a part of it."""
    above = module.parent(node)
    if isinstance(above, ast.Call) and above.args[:1] == [node]:
        if project.qualified_name(module, above.func) != _PARTIAL:
            return False
        above = module.parent(above)
    if not isinstance(above, ast.keyword) or above.arg != "callable_":
        return False
    call = module.parent(above)
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "execute_if"
    )


def _is_called_by_one(
    project: Project, home: Module, module: Module, node: ast.expr, seen: frozenset[str]
) -> bool:
    """Whether ``node`` is called by another condition of the same file."""
    call = module.parent(node)
    around = module.enclosing_function(node)
    return (
        module.path == home.path
        and isinstance(call, ast.Call)
        and call.func is node
        and isinstance(around, ast.FunctionDef)
        and around.name not in seen
        and _is_condition(project, module, around, seen)
    )

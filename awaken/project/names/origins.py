"""The import of a file that an expression begins with."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of


def imported_from(module: Module, node: ast.expr) -> tuple[str, str] | None:
    """Return module and name of the only ``from`` import of what ``node`` begins with."""
    binding = module.scopes.only_binding(root_of(node))
    alias = None if binding is None else binding.node
    statement = module.parent(alias) if isinstance(alias, ast.alias) else None
    if not isinstance(statement, ast.ImportFrom) or not isinstance(alias, ast.alias):
        return None
    return absolute_module(module, statement), alias.name


def absolute_module(module: Module, statement: ast.ImportFrom) -> str:
    """Return the module that a statement imports from, as an absolute name."""
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".")
    # For a package the first dot is the package itself.
    drop = statement.level - module.is_package
    base = package[: len(package) - drop]
    return ".".join([*base, *([statement.module] if statement.module else [])])

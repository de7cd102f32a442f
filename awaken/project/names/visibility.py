"""Public names: those that code outside the project can be expected to know."""

from __future__ import annotations

import ast

from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def is_public(module: Module, name: str) -> bool:
    """Whether code outside the project can be expected to know ``name`` of ``module``.

    It is not if it begins with an underscore at any level, or is in a test. Nor is it in a file
    that no import statement can name, such as a migration.
    """
    names = [*module.name.split("."), *name.split(".")]
    if any(part.startswith("_") and not _is_dunder(part) for part in names):
        return False
    if not all(part.isidentifier() for part in module.name.split(".")):
        return False
    return not is_test_file(module.path)


def is_seen(names: Names, module: Module, name: str) -> bool:
    """Whether code outside the project may know ``name``: nobody imports an application."""
    return names.layout.published and is_public(module, name)


def is_listed(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is in the value of ``__all__`` of a file, which calls nothing."""
    bindings = module.scopes.module.bindings.get("__all__", ())
    inside = module.span(node)
    return any(
        item.value is not None and module.span(item.value).contains(inside) for item in bindings
    )

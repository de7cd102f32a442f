"""Names that nothing defines: to read one raises NameError, so nothing is done with its value."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.trees import root_of

_DEFINING = {"eval", "exec", "globals", "locals", "setattr", "vars"}
"""Builtins that may give a name to a file."""


def is_undefined(project: Program, module: Module, node: ast.expr) -> bool:
    """Whether the first name of ``node`` has no value wherever it is read.

    It may have one if the file takes names from elsewhere, or if something sets it by its name.
    """
    root, scopes = root_of(node), module.scopes
    if not isinstance(root, ast.Name) or root.id.startswith("__"):
        return False
    name = root.id
    if scopes.bindings_of(root) or scopes.import_stars or project.qualified_name(module, node):
        return False
    if may_define(module):
        return False
    assigned = (f".{name}{sign}" for sign in (" =", "=", ":", " :"))
    setting = (*assigned, f'{name}"', f"{name}'", "builtins")
    return not project.files_with([text.encode() for text in setting])


def may_define(module: Module) -> bool:
    """Whether a file may give itself names by a builtin, or by code that is a text."""
    return any(module.scopes.builtin_called(call) in _DEFINING for call in module.nodes(ast.Call))

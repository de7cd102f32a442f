"""Names that nothing defines: to read one raises NameError, so nothing is done with its value."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program

_DEFINING = {"eval", "exec", "globals", "locals", "setattr", "vars"}
"""Builtins that may give a name to a file."""


def is_undefined(project: Program, module: Module, node: ast.expr) -> bool:
    """Whether the first name of ``node`` has no value wherever it is read.

    It may have one if the file takes names from elsewhere, or if something sets it by its name.
    """
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name) or node.id.startswith("__"):
        return False
    scopes, name = module.scopes, node.id
    if scopes.bindings_of(node) or scopes.import_stars or project.qualified_name(module, node):
        return False
    if may_define(module):
        return False
    assigned = (f".{name}{sign}" for sign in (" =", "=", ":", " :"))
    setting = (*assigned, f'{name}"', f"{name}'", "builtins")
    return not project.files_with([text.encode() for text in setting])


def may_define(module: Module) -> bool:
    """Whether a file may give itself names by a builtin, or by code that is a text."""
    return any(module.scopes.builtin_called(call) in _DEFINING for call in module.nodes(ast.Call))

"""Mocks with a ``spec``: they have what a class has, without what its methods set on ``self``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.given.told import named_in
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


def lacks(project: Project, module: Module, call: ast.Call, name: str) -> bool:
    """Whether a mock is made with a ``spec`` that may not have the first word of a dotted name.

    Such a mock raises at once if a test sets an attribute that it does not have.
    """
    first, _, behind = name.partition(".")
    spec = next((value for item, value in named_in(call) if item == "spec"), None)
    if spec is None or not behind:
        return False
    qualified = project.qualified_name(module, spec)
    if qualified is not None and project.replacements.methods(qualified, first):
        return False
    definition = None if qualified is None else project.class_definition(qualified)
    for statement in () if definition is None else definition[1].body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=held)])
                | ast.AnnAssign(target=ast.Name(id=held), value=ast.expr())
            ) if held == first:
                return False
            case _:
                pass
    return True

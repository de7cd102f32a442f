"""What a decorator of the program decorates."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project


def decorated_by(
    project: Project, qualified: str
) -> list[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]] | None:
    """Return the functions that a decorator of the program is used for; None if it is used else.

    What others may import may decorate what they define.
    """
    name = qualified.rpartition(".")[2]
    found: list[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]] = []
    for path in project.files_with((name.encode(),)):
        module = project.module(path)
        for node in module.mentions(name) if module is not None else ():
            if module is None or not isinstance(node, ast.Name | ast.Attribute):
                continue
            if project.qualified_name(module, node) != qualified:
                continue
            above = module.parent(node)
            used = above if isinstance(above, ast.Call) and above.func is node else node
            decorated = module.parent(used)
            if not isinstance(decorated, Function) or used not in decorated.decorator_list:
                return None
            found.append((module, decorated))
    return found

"""Objects that a function has made, and that no session has yet: nothing is loaded for them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


def is_transient(project: Project, module: Module, statement: ast.stmt, name: str) -> bool:
    """Whether a variable has such an object where a statement sets an attribute of it.

    A statement of the same block makes the object, and no call runs between the two. The value of
    the statement cannot reach the object, because no related one has it.
    """
    block = module.block_of(statement)
    for earlier in reversed(block[: block.index(statement)] if statement in block else ()):
        made = getattr(earlier, "value", None)
        if getattr(variable_of(earlier), "id", "") == name:
            return isinstance(made, ast.Call) and _is_apart(project, module, made, statement, name)
        if any(isinstance(node, ast.Call | ast.Await | ast.Yield) for node in ast.walk(earlier)):
            return False
    return False


def _is_apart(
    project: Project, module: Module, made: ast.Call, statement: ast.stmt, name: str
) -> bool:
    """Whether a new object of a mapped class is in no session after the value of a statement."""
    if project.orm.mapped_class(project.qualified_name(module, made.func)) is None:
        return False
    value = getattr(statement, "value", None)
    parts = list(ast.walk(value)) if isinstance(value, ast.expr) else []
    if any(isinstance(part, ast.Name) and part.id == name for part in parts):
        return False
    # A related object may be in a session, and take the new one along.
    names = project.orm.reads.names_of_mapped()
    is_related = any(keyword.arg is None or keyword.arg in names for keyword in made.keywords)
    return not is_related or not any(isinstance(part, ast.Call | ast.Await) for part in parts)

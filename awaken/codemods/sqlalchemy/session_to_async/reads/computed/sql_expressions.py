"""SQL expressions in the place of a value: the database computes the value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.project.source.worklist import preorder

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

SQL_FUNCTION = "sqlalchemy.func."
"""What the name of a function of SQL begins with."""
_OTHERS = {"sqlalchemy.case", "sqlalchemy.literal_column", "sqlalchemy.text"}


def is_sql_expression(project: Project, module: Module, value: ast.expr) -> bool:
    """Whether a value calls a function of SQL, or computes with a column of a class."""
    for node in preorder([value], _parts):
        if isinstance(node, ast.Call):
            name = project.qualified_name(module, node.func) or ""
            if name.startswith(SQL_FUNCTION) or name in _OTHERS:
                return True
        elif isinstance(node, ast.Attribute) and not isinstance(value, ast.Attribute):
            # Attributes with names of Python or SQLAlchemy are not columns.
            if node.attr.startswith("__"):
                continue
            if project.orm.mapped_class(project.qualified_name(module, node.value)) is not None:
                return True
    return False


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the operands of a value, without the arguments of a call: a session runs those."""
    below = [node.func] if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    return (part for part in below if isinstance(part, ast.expr))

"""Names of SQLAlchemy: which an expression means, and by which name to write one here."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.kit.names_here import Written, name_here
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.module_reader import ModuleReader

if TYPE_CHECKING:
    from awaken.project import Project

_SQL = sql_names()
_HOMES = _SQL.homes | dict.fromkeys(_SQL.set_operations, _SQL.homes["exists"])
"""Where each name that the rule writes can be imported from; the first is where it will be."""


class Reader(ModuleReader, frozen=True):
    """One module of a project, with all questions that may be asked of the project."""

    project: Project


def sqlalchemy_name(reader: Reader, site: ast.AST, wanted: str) -> Written:
    """Return how to write SQLAlchemy's ``wanted`` (``select``) at ``site``, as the file does.

    ``sql.Select`` is the one that all versions export.
    """
    return name_here(reader.module, site, wanted.rpartition(".")[2], _HOMES[wanted], "sa_")


def names(node: ast.AST, text: str) -> bool:
    """Whether a name or attribute in ``node`` is written as ``text``."""
    return any(
        isinstance(part, ast.Name | ast.Attribute) and ast.unparse(part) == text
        for part in ast.walk(node)
    )

"""Rows of one INSERT that refer to each other.

psycopg2 sends them in one statement, and the database checks foreign keys after it. Other drivers
send one statement for each row, so that no row may refer to a later one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import nodes_with
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_WORDS = (b"ForeignKey", b"foreign_key")
_KEYS = {"ForeignKey", "ForeignKeyConstraint"}


def refers_to_itself(project: Project) -> bool:
    """Whether a table of the program may refer to itself."""
    for module, node in nodes_with(project, _WORDS, ast.Call, revisions=False):
        if any(_is_own(project, module, node, key) for key in _keys(node)):
            return True
    return False


def _keys(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the columns that a call refers to."""
    if last_name(call.func) in _KEYS:
        named = [node.value for node in call.keywords if node.arg in {"column", "refcolumns"}]
        for given in (*call.args, *named):
            yield from given.elts if isinstance(given, ast.List | ast.Tuple) else (given,)
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "foreign_key")


def _is_own(project: Project, module: Module, call: ast.Call, key: ast.expr) -> bool:
    """Whether a foreign key is one to the table that it belongs to."""
    table = _table_of(key)
    for around in module.ancestors(call):
        match around:
            case ast.ClassDef(name=name):
                mapped = project.orm.mapped_class(module.full_name(around))
                own = None if mapped is None else mapped.tablename
                if isinstance(key, ast.Name):
                    return table in module.scopes.scope_made_by(around).bindings
                # Names that are made of the name of the class differ in little else.
                alike = table.replace("_", "").lower() == name.lower()
                return table in {own, name} or (own is None and alike)
            case ast.Call(func=function, args=[ast.Constant(value=str() as own), *_]) if (
                last_name(function) == "Table"
            ):
                return table == own
    return False


def _table_of(key: ast.expr) -> str:
    """Return ``users`` of ``"app.users.id"``, ``User`` of ``User.id`` and ``id`` of ``id``."""
    match key:
        case ast.Constant(value=str(text)):
            return text.rpartition(".")[0].rpartition(".")[2]
        case ast.Attribute(value=ast.Name(id=name)):
            return name
        case ast.Name(id=name):
            return name
    return ""

"""Objects that ``get`` gives, of which a bulk update computed a column in the database.

The update expires that attribute of each object that the session has, for Python cannot compute
it. ``get`` gives such an object as it is, and reading the attribute loads it (SQLAlchemy,
"ORM-Enabled INSERT, UPDATE, and DELETE statements").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.computed.sql_expressions import (
    is_sql_expression,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import changed_class
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew, holds_back, populating
from awaken.kit.search import modules_with
from awaken.project.source.programs.alembic_files import is_of_alembic

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_WORDS = (b".values(",)


def got_behind_updates(project: Project) -> dict[Place, Anew]:
    """Return the calls of ``get`` that have to read again, with the argument for that."""
    updated = {
        (owner, name)
        for module in modules_with(project, _WORDS)
        if not is_of_alembic(module)
        for owner, name in _computed_columns(project, module)
    }
    reads = project.orm.reads.columns.reads_of({name for _, name in updated}) if updated else ()
    places = {
        trace.load.place
        for read in reads
        if any((name, read.attribute) in updated for name in _hierarchy(project, read.owner))
        for trace in read.traces
        if trace.load.kind == "get" and len(trace.path) == 1
    }
    is_held = holds_back(project) if places else False
    reloads = {place: populating(project, place, is_held=is_held) for place in places}
    return {place: said for place, said in reloads.items() if said is not None}


def _hierarchy(project: Project, qualified: str) -> tuple[str, ...]:
    """Return a class with those that it inherits from and those that inherit from it."""
    return (*project.orm.mapping_ancestors(qualified), *project.all_subclasses(qualified))


def _computed_columns(project: Project, module: Module) -> Iterator[tuple[str, str]]:
    """Yield the columns that bulk updates of a file give expressions of SQL, with their classes."""
    for node in module.walk():
        match node:
            case ast.Call(func=ast.Attribute(value=chain, attr="values")):
                owner, _ = changed_class(project, module, chain)
                for name, value in _given_pairs(node) if owner else ():
                    if is_sql_expression(project, module, value):
                        yield owner, name


def _given_pairs(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            for key, value in zip(argument.keys, argument.values, strict=True):
                match key:
                    case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                        yield name, value

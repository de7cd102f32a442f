"""Columns that are SQL expressions (``column_property``): the database computes them again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.declared.fetched_columns import COLUMNS
from awaken.kit.search import nodes_with

if TYPE_CHECKING:
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.source.modules import Module

_WORDS = (b"column_property",)


def is_expression(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call declares a SQL expression, which is expired when its object is flushed."""
    if project.qualified_name(module, call.func) != "sqlalchemy.orm.column_property":
        return False
    first = call.args[0] if call.args else None
    called = first.func if isinstance(first, ast.Call) else None
    return called is None or project.qualified_name(module, called) not in COLUMNS


def declared_columns(project: Project, module: Module, call: ast.Call) -> Iterator[Key]:
    """Yield the columns that a call declares: in the body of a class, or for one outside."""
    inside = module.enclosing_class(call)
    owner = None if inside is None else module.full_name(inside)
    match module.statement_of(call):
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            owner is not None
        ):
            yield owner, name
        case ast.Assign(targets=[ast.Attribute(value=mapped, attr=name)]):
            owner = project.qualified_name(module, mapped)
            if owner is not None:
                yield owner, name
        case ast.Return() as returned if owner is not None:
            # Of a `declared_attr`, which is named as the column.
            function = module.enclosing_function(returned)
            if isinstance(function, ast.FunctionDef):
                yield owner, function.name


def read_expressions(project: Project) -> frozenset[Key]:
    """Return the expressions of a program that something reads, each by its class and name."""
    declared = {
        key
        for module, call in nodes_with(project, _WORDS, ast.Call, revisions=False)
        if is_expression(project, module, call)
        for key in declared_columns(project, module, call)
    }
    names = {name for _, name in declared}
    reads = project.orm.reads.columns.reads_of(names) if names else ()
    read = {read.attribute for read in reads}
    return frozenset(key for key in declared if key[1] in read)

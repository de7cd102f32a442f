"""Columns that the database computes: they are fetched when a row is written.

Otherwise SQLAlchemy expires them then, and loads them when they are read. Columns that are set to
an SQL expression are fetched in the same way if the flush after it is not visible. See
https://docs.sqlalchemy.org/en/20/orm/persistence_techniques.html, "Fetching Server-Generated
Defaults".
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.declared.fetched_columns import (
    column_declaration,
    fetched_edits,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import (
    argument_edit,
    is_read,
    own_arguments,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import DATABASE_VALUE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site

if TYPE_CHECKING:
    from awaken.project import Project

_WORDS = (b"onupdate", b"Computed")
_SETTING = "eager_defaults"


def fetched_when_written(
    project: Project, rule: str, assigned: Mapping[str, Collection[str]]
) -> Iterator[Member]:
    """Yield the mapped classes that fetch what the database computes in an update.

    A value that an insert computes is fetched without this, if the database returns rows.
    ``assigned`` are the columns by their classes that are given an expression of SQL, and flushed
    somewhere.
    """
    computed = _computed_values(project)
    declared: set[Place] = set()
    for qualified in sorted({*computed, *assigned}):
        pair = project.class_definition(qualified)
        if pair is None:
            continue
        site, names, is_set = Site(rule, *pair), computed[qualified], _is_set(project, qualified)
        read = [] if is_set else [word for word in sorted(names) if is_read(project, word)]
        given = {
            word: declaration
            for word in sorted(set(assigned.get(qualified, ())) - names)
            if (declaration := column_declaration(project, rule, qualified, word)) is not None
        }
        edits: list[Edit] = []
        try:
            if not is_set and (read or given):
                why = Refused(DATABASE_VALUE, f"{site.node.name}.{[*read, *given][0]}")
                edits = [argument_edit(project, site, qualified, f'"{_SETTING}": True', why)]
        except Refused as refused:
            # An assigned object may be flushed when nobody reads it any more.
            if read:
                yield Member(site, refused, f"`{site.node.name}`")
            continue
        if edits:
            message = _message(site.node.name, [*read, *given])
            yield Member(site, Rewrite(message, edits), f"`{site.node.name}`")
        for name, declaration in given.items():
            if declaration.place not in declared:
                declared.add(declaration.place)
                shown = f"`{site.node.name}.{name}`"
                yield member(declaration, shown, _fetched_rewrite, project, site.node.name, name)


def _fetched_rewrite(site: Site[ast.expr], project: Project, owner: str, name: str) -> Rewrite:
    """Return what has a column fetched that an assignment gives an expression. Raises Refused."""
    message = f"fetches `{owner}.{name}`, which the database computes from the assigned expression"
    return Rewrite(message, fetched_edits(project, site))


def _message(name: str, columns: Sequence[str]) -> str:
    shown = " and ".join(f"`{name}.{column}`" for column in columns)
    if len(columns) == 1:
        return f"fetches {shown} when a row changes, because the database computes it"
    return f"fetches {shown} when a row changes, because the database computes them"


def _computed_values(project: Project) -> defaultdict[str, set[str]]:
    """Return the mapped classes with the columns that the database computes in an update."""
    result: defaultdict[str, set[str]] = defaultdict(set)
    for module, node in nodes_with(project, _WORDS, ast.ClassDef, revisions=False):
        declaring = module.full_name(node)
        for qualified in (declaring, *project.all_subclasses(declaring)):
            mapped = project.orm.mapped_class(qualified)
            columns = {} if mapped is None else mapped.columns
            for name, column in columns.items():
                if column.is_computed_on_update:
                    result[qualified].add(name)
    return result


def _is_set(project: Project, qualified: str) -> bool:
    """Whether the class says already that it fetches what the database computes."""
    value = own_arguments(project, qualified)
    if not isinstance(value, ast.Dict):
        return False
    pairs = zip(value.keys, value.values, strict=True)
    return any(
        isinstance(key, ast.Constant)
        and key.value == _SETTING
        and isinstance(said, ast.Constant)
        and said.value is True
        for key, said in pairs
    )

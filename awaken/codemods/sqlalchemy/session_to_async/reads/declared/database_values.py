"""Columns that the database computes: they are fetched when a row is written.

Else SQLAlchemy expires them then, and loads them when they are read.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import (
    argument_edit,
    is_read,
    own_arguments,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import DATABASE_VALUE
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.migrations import is_of_alembic

if TYPE_CHECKING:
    from awaken.project import Project

_WORDS = (b"onupdate", b"Computed")
_SETTING = "eager_defaults"


def fetched_when_written(project: Project, rule: str) -> Iterator[Member]:
    """Yield the mapped classes that fetch what the database computes in an update.

    What it computes in an insert is fetched by itself, where it can give rows back.
    """
    for qualified, names in sorted(_computed(project).items()):
        read = [one for one in sorted(names) if is_read(project, one)]
        found = project.class_definition(qualified)
        if not read or found is None or _is_set(project, qualified):
            continue
        module, node = found
        site = Site(rule, module, node)
        shown = " and ".join(f"`{node.name}.{one}`" for one in read)
        try:
            why = Refused(DATABASE_VALUE, f"{node.name}.{read[0]}")
            edits = [argument_edit(project, site, qualified, f'"{_SETTING}": True', why)]
        except Refused as refused:
            yield Member(site, refused, f"`{node.name}`")
        else:
            message = f"{shown} are fetched when a row changes, for the database computes them"
            if len(read) == 1:
                message = f"{shown} is fetched when a row changes, for the database computes it"
            yield Member(site, Rewrite(message, edits), f"`{node.name}`")


def _computed(project: Project) -> dict[str, set[str]]:
    """Return the mapped classes with the columns that the database computes in an update."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules_with(project, _WORDS):
        if is_of_alembic(module):
            continue
        for node in module.walk():
            if not isinstance(node, ast.ClassDef):
                continue
            declaring = f"{module.name}.{module.qualname(node)}"
            for qualified in (declaring, *project.all_subclasses(declaring)):
                mapped = project.orm.mapped_class(qualified)
                columns = {} if mapped is None else mapped.columns
                for name, column in columns.items():
                    if column.is_computed_on_update:
                        found[qualified].add(name)
    return found


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

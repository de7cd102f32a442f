"""Mapped classes that inherit from others: their attributes are loaded with objects of their base.

A statement for the base returns their objects without these attributes, which load at the read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.declared.mapper_arguments import (
    argument_edit,
    is_read,
    own_arguments,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import SUBCLASS_ATTRIBUTE
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site

if TYPE_CHECKING:
    from awaken.project import Project

_WORD = b"polymorphic_identity"
_SAYS = {"polymorphic_load", "with_polymorphic"}


def loaded_with_their_bases(project: Project, rule: str) -> Iterator[Member]:
    """Yield the classes of which more is loaded when an object of their base is."""
    for module, node in nodes_with(project, (_WORD,), ast.ClassDef, revisions=False):
        yield from _of_class(project, Site(rule, module, node))


def _of_class(project: Project, site: Site[ast.ClassDef]) -> Iterator[Member]:
    node = site.node
    qualified = site.module.full_name(node)
    bases = [
        ancestor
        for ancestor in project.orm.mapping_ancestors(qualified)
        if ancestor != qualified and project.orm.mapped_class(ancestor) is not None
    ]
    mapped = project.orm.mapped_class(qualified)
    if not bases or mapped is None or any(_says(project, name) for name in (qualified, *bases)):
        return
    above = [model for name in bases if (model := project.orm.mapped_class(name)) is not None]
    inherited = {name for item in above for name in (*item.columns, *item.relationships)}
    added = sorted({*mapped.columns, *mapped.relationships} - inherited)
    read = [name for name in added if is_read(project, name)]
    if not read or not any(_is_loaded(project, name) for name in bases):
        return
    how = "inline" if mapped.tablename in {None, above[0].tablename} else "selectin"
    shown = f"{node.name}.{read[0]}"
    try:
        why = Refused(SUBCLASS_ATTRIBUTE, shown)
        edits = [argument_edit(project, site, qualified, f'"polymorphic_load": "{how}"', why)]
    except Refused as refused:
        yield Member(Site(site.rule, site.module, node), refused, f"`{node.name}`")
    else:
        base = bases[0].rpartition(".")[2]
        message = f"loads `{shown}` with every object that is loaded as `{base}`"
        yield Member(
            Site(site.rule, site.module, node),
            Rewrite(message, edits, [f"a statement that selects `{base}` loads more than before"]),
            f"`{node.name}`",
        )


def _says(project: Project, qualified: str) -> bool:
    """Whether a class says itself how much is loaded with its base."""
    own = own_arguments(project, qualified)
    keys = own.keys if isinstance(own, ast.Dict) else []
    return any(isinstance(key, ast.Constant) and key.value in _SAYS for key in keys)


def _is_loaded(project: Project, base: str) -> bool:
    """Whether something may load objects of a class: a relationship, or a call that is given it."""
    if project.orm.relationships_to(base):
        return True
    return any(
        isinstance(above := module.parent(node), ast.Call) and node in above.args
        for module, node in uses_of(project, {base})
    )

"""Statements of Alembic's revisions: they load no more than before.

A relationship that now loads with each object may query a table that lacks some of its columns at
this revision. The revision runs synchronously, where a relationship loads when it is read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.sql_names import sql_names
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.values.domain import ClassOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_LAZY = "sqlalchemy.orm.lazyload"
_WORDS = (b".query(", b"select")


Eager = Callable[[str], Iterable[str]]
"""The relationships that are loaded with each object of a class from now on."""


def loaded_in_revisions(project: Project, rule: str, eager: Eager) -> Iterator[Member]:
    """Yield the statements of revisions that would load more, with what has them load it later."""
    for module in modules_with(project, _WORDS):
        for node in module.walk() if is_of_alembic(module) else ():
            if isinstance(node, ast.Call) and _loads_objects(project, module, node):
                named = [*_names(project, module, node, eager)]
                if named:
                    site: Site[ast.AST] = Site(rule, module, node)
                    shown = f"`{module.excerpt(node)}`"
                    yield member(site, shown, loads_later, project, named)


def is_select(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call begins a statement that selects something."""
    return bool(call.args) and project.qualified_name(module, call.func) in sql_names().selects


def _loads_objects(project: Project, module: Module, call: ast.Call) -> bool:
    if is_select(project, module, call):
        return True
    match call.func:
        case ast.Attribute(value=session, attr="query"):
            return project.orm.resource_of(module, session) in BLOCKING_SESSIONS
    return False


def _names(project: Project, module: Module, call: ast.Call, eager: Eager) -> Iterator[str]:
    """Yield the relationships that a statement would load, as they are written there."""
    for given in call.args:
        for value in project.values.of(module, given).alternatives:
            if isinstance(value, ClassOf):
                for name in eager(value.qualified):
                    yield f"{module.text_of(given)}.{name}"


def loads_later(site: Site[ast.AST], project: Project, named: list[str]) -> Rewrite:
    """Return what has a statement load relationships no earlier than before. Raises Refused."""
    option, imports = name_from_same_module(project, site, None, _LAZY)
    options = ", ".join(f"{option}({name})" for name in named)
    edits: list[Edit] = [site.insert_behind(site.node, f".options({options})"), *imports]
    return Rewrite(f"`{site.module.excerpt(site.node)}` loads no more than before", edits)

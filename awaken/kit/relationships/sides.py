"""The sides of relationships that load when they are read, and how their loading is written."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Edit
from awaken.kit.imports import name_from_same_module
from awaken.kit.payloads import MAKE_BACKREF, SET_LAZY, SET_LAZY_IN_KEYWORDS, Backref, Lazy
from awaken.kit.sites import Site
from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_revision
from awaken.project.source.trees import keyword_of
from awaken.project.source.words import called_words

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.relationships import Site as Declared

WORDS = (b"relationship", b"Relationship", *called_words("relation"))
_LOADS_WHEN_READ = ("select", None)
LOADS_WITH_OBJECT = name_list("eager_strategies")
_BACKREF = "sqlalchemy.orm.backref"

Key = tuple[str, str]
"""A relationship: the class that declares it, and its attribute."""


class Side(Struct, frozen=True):
    """A declared side. ``site`` is where its loading is written: the call, or the ``backref``."""

    site: Site[ast.expr]
    call: ast.Call
    declared: Declared

    @property
    def key(self) -> Key:
        """The class that has it, and its attribute; both empty where they are not told."""
        return self.declared.owner or "", self.declared.attribute or ""

    @property
    def display_name(self) -> str:
        """The side as a reader calls it."""
        owner, attribute = self.key
        return f"{owner.rpartition('.')[2]}.{attribute}"


def sides_in(
    project: Project, rule: str, module: Module, lazies: Collection[str | None] = _LOADS_WHEN_READ
) -> Iterator[Side]:
    """Yield the visible sides of a file with one of these values of ``lazy``."""
    if is_revision(module):
        # Its models are those of one day, and its code runs once.
        return
    for declared in project.orm.relationships.in_file(module.path):
        calls = module.calls_at(declared.facts.span)
        if declared.facts.lazy not in lazies or not calls:
            continue
        call = calls[0]
        node = keyword_of(call, "backref") if declared.reverse else call
        if node is not None:
            yield Side(Site(rule, module, node), call, declared)


def edits_of(project: Project, side: Side, lazy: str, depth: int = 0) -> list[Edit]:
    """Return the edits that give a side its loading, and its ``join_depth``. Raises Refused.

    That is 0 for what gets none.
    """
    site, node = side.site, side.site.node
    if not side.declared.reverse:
        if project.qualified_name(side.site.module, side.call.func) == "sqlmodel.Relationship":
            return [site.rewrite(side.call, SET_LAZY_IN_KEYWORDS, Lazy(lazy, depth))]
        return [site.rewrite(side.call, SET_LAZY, Lazy(lazy)), *_depth(site, side.call, depth)]
    if isinstance(node, ast.Call):
        return [site.rewrite(node, SET_LAZY, Lazy(lazy)), *_depth(site, node, depth)]
    function, imports = _backref_name(project, side)
    # The node of the keyword: another change may write the call around it.
    keyword = next(part for part in side.call.keywords if part.value is node)
    return [site.rewrite(keyword, MAKE_BACKREF, Backref(lazy, function, depth)), *imports]


def _depth(site: Site[ast.expr], call: ast.Call, depth: int) -> list[Edit]:
    if not depth or keyword_of(call, "join_depth") is not None:
        return []
    return [site.add_keyword(call, "join_depth", str(depth))]


def _backref_name(project: Project, side: Side) -> tuple[str, list[Edit]]:
    function, module = side.call.func, side.site.module
    if isinstance(function, ast.Attribute) and project.orm.class_queries.is_extension(
        module, function.value
    ):
        return f"{module.text_of(function.value)}.backref", []
    return name_from_same_module(project, side.site, function, _BACKREF)

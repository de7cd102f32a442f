"""The declared sides of relationships that load when they are read, and how each is written."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.lazy_raise import reasons
from awaken.codemods.sqlalchemy.lazy_raise.payload import (
    MAKE_BACKREF,
    SET_LAZY,
    SET_LAZY_IN_KEYWORDS,
    Backref,
    Lazy,
)
from awaken.contract import Edit
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Site
from awaken.project.names.visibility import is_public
from awaken.project.source.migrations import is_revision
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.relationships import Site as Declared

WORDS = (b"relationship", b"relation(", b"Relationship")
_LOADS_WHEN_READ = {"select", None}
_DATACLASS_BASE = "sqlalchemy.orm.MappedAsDataclass"
_DATACLASS_DECORATOR = "mapped_as_dataclass"
"""Of SQLAlchemy, and of a registry, which has any name."""
_BACKREF = "sqlalchemy.orm.backref"

Key = tuple[str, str]
"""A relationship: the class that declares it, and its attribute."""


@dataclass(frozen=True, slots=True)
class Side:
    """A declared side. ``site`` is where its loading is written: the call, or the ``backref``."""

    site: Site[ast.expr]
    call: ast.Call
    declared: Declared

    @property
    def key(self) -> Key:
        """The class that has it, and its attribute; both empty where they are not told."""
        return self.declared.owner or "", self.declared.attribute or ""

    @property
    def shown(self) -> str:
        """The side as a reader calls it."""
        owner, attribute = self.key
        return f"{owner.rpartition('.')[2]}.{attribute}"


def sides_in(project: Project, rule: str, module: Module) -> Iterator[Side]:
    """Yield the sides that a file declares and that load when they are read, as far as is told."""
    if is_revision(module):
        # Its models are those of one day, and its code runs once.
        return
    for declared in project.orm.relationship_sides(module.path):
        calls = module.calls_at(declared.facts.span)
        if declared.facts.lazy not in _LOADS_WHEN_READ or not calls:
            continue
        call = calls[0]
        node = _backref_of(call) if declared.reverse else call
        if node is not None:
            yield Side(Site(rule, module, node), call, declared)


def _backref_of(call: ast.Call) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == "backref"), None)


def refusals(project: Project, sides: Sequence[Side]) -> dict[Side, Refused]:
    """Return the sides that are left alone for what their declaration says, with the reason."""
    keys = Counter(side.key for side in sides)
    by_attribute: dict[str, list[str]] = {}
    for owner, attribute in keys:
        by_attribute.setdefault(attribute, []).append(owner)
    found: dict[Side, Refused] = {}
    for side in sides:
        owner, attribute = side.key
        others = [one for one in by_attribute[attribute] if one != owner]
        is_single = keys[side.key] == 1 and not _is_inherited(project, owner, others)
        refused = _refusal(project, side, is_single=is_single)
        if refused is not None:
            found[side] = refused
    return found


def _is_inherited(project: Project, owner: str, others: Sequence[str]) -> bool:
    """Whether a class that inherits from ``owner``, or a base of it, is among ``others``."""
    if not owner or not others:
        return False
    below = project.all_subclasses(owner)
    return any(one in below or owner in project.all_subclasses(one) for one in others if one)


def _refusal(project: Project, side: Side, *, is_single: bool) -> Refused | None:
    owner, attribute = side.key
    if not attribute or project.class_facts(owner) is None:
        return Refused(reasons.OWNER_NOT_TOLD)
    family = (owner, *project.all_subclasses(owner))
    statuses = {project.orm.mapping_status(one) for one in family}
    if "mapped" not in statuses or "unknown" in statuses:
        return Refused(reasons.NOT_MAPPED, owner.rpartition(".")[2])
    if side.declared.facts.lazy is None:
        return Refused(reasons.LAZY_NOT_TOLD, side.shown)
    if side.declared.facts.target is None:
        return Refused(reasons.TARGET_NOT_TOLD, side.shown)
    if not is_single:
        return Refused(reasons.DECLARED_AGAIN, side.shown)
    if _is_generated(project, side):
        return Refused(reasons.GENERATED, side.shown)
    if project.published and _is_seen_outside(project, owner, attribute):
        return Refused(reasons.PUBLISHED, side.shown)
    return None


def _is_seen_outside(project: Project, owner: str, attribute: str) -> bool:
    # Objects are handed on under whatever name their class has: that of the attribute counts.
    facts = project.class_facts(owner)
    module = None if facts is None else project.module(facts.path)
    return module is None or is_public(module, attribute)


def _is_generated(project: Project, side: Side) -> bool:
    """Whether methods that a dataclass mapping generates read the side."""
    if side.declared.reverse:
        # It is no field of the dataclass.
        return False
    given = {one.arg: one.value for one in side.call.keywords}
    off = [given.get(name) for name in ("repr", "compare")]
    if all(isinstance(one, ast.Constant) and one.value is False for one in off):
        return False
    owner = side.key[0]
    return any(_is_dataclass(project, one) for one in (owner, *project.all_subclasses(owner)))


def _is_dataclass(project: Project, qualified: str) -> bool:
    facts = project.class_facts(qualified)
    if _DATACLASS_BASE in project.library_ancestors(qualified):
        return True
    decorators = () if facts is None else facts.decorators
    return any((one or "").rpartition(".")[2] == _DATACLASS_DECORATOR for one in decorators)


# ----------------------------------------------------------------------------- how it is written
def edits_of(project: Project, side: Side, lazy: str) -> list[Edit]:
    """Return the edits that give a side its loading. Raises Refused."""
    site, node = side.site, side.site.node
    if not side.declared.reverse:
        rewriter = SET_LAZY_IN_KEYWORDS if _is_sqlmodel(project, side) else SET_LAZY
        return [site.rewrite(side.call, rewriter, Lazy(lazy))]
    if isinstance(node, ast.Call):
        return [site.rewrite(node, SET_LAZY, Lazy(lazy))]
    function, imports = _backref_name(project, side)
    # The node of the keyword: another change may write the call around it.
    keyword = next(one for one in side.call.keywords if one.value is node)
    return [site.rewrite(keyword, MAKE_BACKREF, Backref(lazy, function)), *imports]


def _is_sqlmodel(project: Project, side: Side) -> bool:
    return project.qualified_name(side.site.module, side.call.func) == "sqlmodel.Relationship"


def _backref_name(project: Project, side: Side) -> tuple[str, list[Edit]]:
    function, module = side.call.func, side.site.module
    if isinstance(function, ast.Attribute) and project.orm.is_extension(module, function.value):
        return f"{module.text_of(function.value)}.backref", []
    return name_beside(project, side.site, function, _BACKREF)

"""The relationships that a flush itself reads, without leave to load them.

A flush loads what it needs, whatever a relationship says. Where the tables of its objects refer to
each other in a circle, as those of a tree do, it sorts the objects one by one, and reads the
references of those that it deletes like any code would (``DependencyProcessor
.per_state_flush_actions``). Then both ``raise`` and ``raise_on_sql`` raise.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.relationships.sides import WORDS, Key
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with, nodes_with
from awaken.project.frameworks.sqlalchemy.keys import leads_to_many
from awaken.project.source.memo import cached_by, cached_items, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_constant
from awaken.project.source.worklist import reachable
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.relationships import Site as Declared

_ANY = "?"
"""Stands for all classes: what is deleted cannot be told."""
_DELETES = {"all", "delete", "delete-orphan"}
_OBJECTS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Await)
_Keywords = dict[str | None, ast.expr]


class Flushes:
    """Answers for one program; nothing is looked for before it is asked."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._keys = _ForeignKeys(project)

    def read(self, key: Key) -> bool:
        """Whether deleting an object may read this relationship of it."""
        return key in self._circular()

    def deletes_along(self, module: Module, side: Declared) -> bool:
        """Whether deleting an object loads the side like any code would, to delete what it holds.

        SQLAlchemy 1.4 does so for cascades, and 1.3 for all collections; from 2.0 on a flush may
        load them.
        """
        targets = self._project.targets
        if not targets.admits("sqlalchemy", "<2.0"):
            return False
        if targets.admits("sqlalchemy", "<1.4"):
            owner, attribute = side.owner or "", side.attribute or ""
            if self._project.orm.is_collection(owner, attribute) is not False:
                return True
        return bool(_cascade_of(module, side) & _DELETES)

    @cached_property
    def _sides(self) -> list[tuple[Module, Declared]]:
        return [
            (module, side)
            for module in modules_with(self._project, WORDS)
            for side in self._project.orm.relationships.in_file(module.path)
            if side.owner is not None and side.attribute is not None
        ]

    @cached_items
    def _circular(self) -> Iterator[Key]:
        """Yield the references of classes that are deleted and refer to each other in a circle."""
        sides = self._sides
        references = [(module, side) for module, side in sides if self._may_refer(module, side)]
        edges: dict[str, set[str]] = {}
        for _, side in references:
            for name in self._root(side.owner or ""):
                edges.setdefault(name, set()).update(self._root(side.facts.target or ""))
        circular = {
            edge
            for edge in edges
            if edge in reachable(edges[edge], lambda name: edges.get(name, ()))
        }
        sites = [side for _, side in references if self._root(side.owner or "") & circular]
        if not sites:
            return
        deleted = self._deleted_classes(sides)
        for side in sites:
            if _ANY in deleted or self._root(side.owner or "") & deleted:
                yield side.owner or "", side.attribute or ""

    @cached_by(str, frozenset[str]())  # for a class that inherits from itself
    def _root(self, qualified: str) -> frozenset[str]:
        """Return the top classes of the mapped hierarchies of a class: they share a mapper."""
        orm, facts = self._project.orm, self._project.class_facts(qualified)
        above = [
            root
            for base in (facts.bases if facts is not None else ())
            if base is not None and orm.models.status(base) == "mapped"
            for root in self._root(base)
        ]
        is_mapped = orm.models.status(qualified) == "mapped"
        below = () if is_mapped else self._project.all_subclasses(qualified)
        heirs = (root for heir in below for root in self._root(heir))
        return frozenset(above or heirs) or frozenset({qualified})

    def _may_refer(self, module: Module, side: Declared) -> bool:
        """Whether the table of a side's class may have its foreign key."""
        known = self._keys.refers(module, side)
        if known is None and side.facts.target is not None:
            inverse = self._project.orm.reads.inverse_of(side.owner or "", side.attribute or "")
            other = None if inverse is None else self._side(inverse.owner, inverse.attribute)
            known = None if other is None else self._keys.refers(*other)
            return known is not True
        return known is not False

    def _side(self, owner: str, attribute: str) -> tuple[Module, Declared] | None:
        sides = (side for side in self._sides if side[1].owner == owner)
        return next((side for side in sides if side[1].attribute == attribute), None)

    # --------------------------------------------------------------------------------- deletes
    def _deleted_classes(self, sides: list[tuple[Module, Declared]]) -> set[str]:
        """Return the classes of which a session may delete objects, with those of cascades."""
        result = set(self._deleted_by_name())
        along: defaultdict[str, set[str]] = defaultdict(set)
        for module, side in sides:
            cascade, targets = _cascade_of(module, side), self._root(side.facts.target or "")
            result |= targets if {"delete-orphan", "?"} & cascade else set()
            for owner in self._root(side.owner or "") if {"all", "delete"} & cascade else ():
                along[owner] |= targets
        return reachable(result, lambda name: along.get(name, ()))

    def _deleted_by_name(self) -> Iterator[str]:
        """Yield the classes of what is passed to ``session.delete()``."""
        for module, node in nodes_with(self._project, [b".delete("], ast.Call):
            match node:
                case ast.Call(func=ast.Attribute(attr="delete"), args=[deleted], keywords=[]):
                    if isinstance(deleted, _OBJECTS):
                        yield from self._passed_names(module, node, deleted)

    def _passed_names(self, module: Module, call: ast.Call, one: ast.expr) -> Iterator[str]:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        session = self._project.orm.session_of(module, receiver)
        if session is None:
            return
        classes = self._project.instance_of(module, one)
        if not classes and not isinstance(session, Unknown):
            yield _ANY
        for name in classes:
            yield from self._root(name)


class _ForeignKeys(ProjectFacts):
    """Answers for one program."""

    def refers(self, module: Module, side: Declared) -> bool | None:
        """Return whether the table of the class of a side has its key; None if that is not told.

        False as well for those that a flush leaves alone, and those with a table of their own.
        """
        written = _written_keywords(module, side)
        keywords = _own_keywords(written) if side.reverse else written
        if is_constant(written.get("viewonly"), value=True) or side.facts.secondary:
            return False
        owner, target = side.owner or "", side.facts.target or ""
        is_many = self._project.orm.is_collection(owner, side.attribute or "")
        # Only the side that is not referred to has orphans, unless it says so.
        has_orphans = "delete-orphan" in _cascade_of(module, side)
        if is_many or (has_orphans and "single_parent" not in keywords):
            return False
        if owner == target:
            # Without it the key of the other object is meant.
            return "remote_side" in keywords
        first, second = (self._project.orm.mapped_class(name) for name in (owner, target))
        if first is None or second is None:
            return None
        is_referred = leads_to_many(first, second, side.facts)
        return None if is_referred is None else not is_referred


def _cascade_of(module: Module, side: Declared) -> set[str]:
    """Return the words of the cascade of a side; ``?`` among them where it is no plain text."""
    written = _written_keywords(module, side)
    match (_own_keywords(written) if side.reverse else written).get("cascade"):
        case None:
            return set()
        case ast.Constant(value=str(text)):
            return {line.strip() for line in text.split(",")}
    return {"all", "?"}


def _written_keywords(module: Module, side: Declared) -> _Keywords:
    """Return the keywords of the call that declares a side, or of which the side is the reverse."""
    calls = module.calls_at(side.facts.span)
    return {keyword.arg: keyword.value for call in calls[:1] for keyword in call.keywords}


def _own_keywords(written: _Keywords) -> _Keywords:
    """Return the keywords of ``backref()``."""
    backref = written.get("backref")
    if not isinstance(backref, ast.Call):
        return {}
    return {keyword.arg: keyword.value for keyword in backref.keywords}

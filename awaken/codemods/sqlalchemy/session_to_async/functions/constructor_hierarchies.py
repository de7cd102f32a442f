"""Constructors that wait, of classes that inherit from each other.

Each becomes a coroutine method, which calls the one above it as before. A class method of the
class on top makes the objects of all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.properties.lines_of_classes import (
    names_taken,
    owner_of,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import INITIALIZE, Initialized
from awaken.contract import Edit, Place
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

MAKING = ("create", "create_awaited")
LOADING = ("_load", "_load_awaited")
_HARMLESS = library_names().harmless_bases
_SELF = (3, 11)  # `typing.Self` is of this version


class ConstructorHierarchies:
    """Answers for one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project

    def top_of(self, function: FunctionPlace) -> str | None:
        """Return the class on top of those whose constructors wait together with ``function``.

        None if no other one does.
        """
        own = owner_of(self._project, function)
        top = own
        while (above := self._nearest_above(top)) is not None:
            top = above
        below = [name for name in self._project.all_subclasses(top) if self._constructor(name)]
        return top if top != own or below else None

    def _nearest_above(self, qualified: str) -> str | None:
        """Return the nearest class above whose constructor waits, if there is one."""
        for facts in self._project.class_line(qualified)[1:]:
            if self._constructor(facts.qualified) in self._part.steps:
                return facts.qualified
        return None

    def why_not(self, function: FunctionPlace, top: str) -> tuple[str, Place | None] | None:
        """Return why the constructors of a hierarchy cannot be awaited; None if they can."""
        for subclass in (top, *self._project.all_subclasses(top)):
            name = subclass.rpartition(".")[2]
            if not self._is_plain(subclass, top):
                return (
                    f"`{name}` has several base classes, or a base class outside the project",
                    None,
                )
            constructor = self._constructor(subclass)
            if constructor is not None and constructor not in self._part.steps:
                return (
                    f"the constructor of `{name}` does not call that of its base class",
                    constructor.place,
                )
        node = self._part.node_of(function)
        return ("it cannot be parsed", None) if node is None else self._why_called(*node, function)

    def _is_plain(self, qualified: str, top: str) -> bool:
        """Whether a class has one visible base, and no other code makes its objects."""
        facts = self._project.class_facts(qualified)
        if facts is None or not facts.unique or facts.keywords or facts.decorators:
            return False
        if {"__new__", "__post_init__"} & facts.members:
            return False
        ours = [base for base in facts.bases if base is None or base not in _HARMLESS]
        outside = set(self._project.library_ancestors(qualified)) - _HARMLESS
        return None not in facts.bases and len(ours) <= 1 and (qualified == top or not outside)

    def _why_called(
        self, module: Module, node: Function, function: FunctionPlace
    ) -> tuple[str, Place | None] | None:
        """Return why what makes objects may not be able to await that."""
        callers = self._project.calls.callers_of(module, node)
        known = {caller.place for caller in self._project.calls.graph().callers(function)}
        places = [site.place for site in callers.sites]
        for obstacle in callers.obstacles:
            if obstacle.kind != "outside":
                return obstacle.why, obstacle.place
        for place in dict.fromkeys((*places, *sorted(known))):
            for home, call in self._project.calls_at(place):
                # The graph of all calls knows the base classes.
                if above_of(home, call):
                    continue
                if place not in known or _names_constructor(call):
                    return "awaken does not follow one of its calls", place
        return None

    # ------------------------------------------------------------------------------------ writing
    def edits(self, site: Site[ast.AST], node: ast.FunctionDef, top: str) -> Iterator[Edit]:
        """Yield what makes a coroutine method of a constructor."""
        module = site.module
        owner = module.enclosing_class(node)
        is_top = owner is not None and module.full_name(owner) == top
        returned = anything = ""
        if is_top and node.returns is not None:
            anything, imports = name_from_same_module(self._project, site, None, "typing.Any")
            yield from imports
            returned, imports = made_object(self._project, site, node)
            yield from imports
        yield site.rewrite(
            node,
            INITIALIZE,
            Initialized(
                name=self.name(top, MAKING) if is_top else "",
                loading=self.name(top, LOADING),
                returned=returned,
                anything=anything,
            ),
        )

    def name(self, top: str, names: tuple[str, str]) -> str:
        """Return a name that no class of a hierarchy has."""
        taken = names_taken(self._project, (top, *self._project.all_subclasses(top)))
        return next((name for name in names if name not in taken), f"{names[-1]}_{len(taken)}")

    # -------------------------------------------------------------------------------------- parts
    def _constructor(self, qualified: str) -> FunctionPlace | None:
        """Return the constructor that a class defines itself."""
        facts = self._project.class_facts(qualified)
        if facts is None or "__init__" not in facts.members:
            return None
        pair = self._project.class_definition(qualified)
        for node in () if pair is None else pair[1].body:
            if pair is not None and isinstance(node, ast.FunctionDef) and node.name == "__init__":
                return self._part.place_of(pair[0], node)
        return None


def made_object(
    project: Project, site: Site[ast.AST], node: ast.FunctionDef
) -> tuple[str, list[Edit]]:
    """Return how what makes an object is annotated, as its ``__init__`` is, and the imports."""
    owner = site.module.enclosing_class(node)
    if node.returns is None or owner is None:
        return "", []
    if project.targets.lowest_python < _SELF:
        return f'"{owner.name}"', []
    return name_from_same_module(project, site, None, "typing.Self")


def above_of(module: Module, call: ast.Call) -> bool:
    """Whether a call is that of the constructor above, ``super().__init__(...)``, in one."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__init__"):
            around = module.enclosing_function(call)
            return isinstance(around, ast.FunctionDef) and around.name == "__init__"
    return False


def _names_constructor(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"

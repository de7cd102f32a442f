"""Properties that wait: they become methods, and what reads them awaits a call.

A cached one keeps what it gave under another name of its object.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.properties.lines_of_classes import (
    names_taken,
    owner_of,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.properties.property_reads import (
    PropertyReads,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import METHOD, Method
from awaken.contract import Edit
from awaken.kit.imports import release_imports
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter

if TYPE_CHECKING:
    from awaken.project import Project

_PROPERTIES = {"builtins.property": "plain", "functools.cached_property": "cached"}
_LOOKING_UP = {"__getattr__", "__getattribute__"}


class Properties:
    """Those of one program; ``around`` gives the function in which an expression runs."""

    def __init__(
        self, project: Project, around: Callable[[Module, ast.AST], FunctionPlace]
    ) -> None:
        self._project = project
        self._reads = PropertyReads(project, around)

    @cached_method
    def kind_of(self, function: FunctionPlace) -> str:
        """Return whether a function is a ``plain`` or a ``cached`` property; empty if neither."""
        node = self._project.calls.definition_of(function)
        decorator = None if node is None else self._decorator(*node)
        name = None
        if node is not None and decorator is not None:
            name = self._project.qualified_name(node[0], decorator)
        return _PROPERTIES.get(name or "", "")

    def makes(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator of a method makes a property of it."""
        return self._project.qualified_name(module, decorator) in _PROPERTIES

    def callers(self, function: FunctionPlace) -> Iterable[Call]:
        """Return what reads a property, as calls of it."""
        return self._reads.reads_of(function).calls if self.kind_of(function) else ()

    def check(self, function: FunctionPlace) -> None:
        """Raise Refused where a property cannot be a method."""
        name = function.qualname
        kin = self._project.calls.override_sets().override_set(function)
        if len({self.kind_of(item) for item in kin}) > 1 or not self._is_plain_class(function):
            raise Refused(reasons.SYNC_PROTOCOL, name)
        node = self._project.calls.definition_of(function)
        is_cached = self.kind_of(function) == "cached"
        if node is None or (is_cached and not _ends_with_result(*node)):
            raise Refused(reasons.SYNC_PROTOCOL, name)
        reads = self._reads.reads_of(function)
        if reads.unsure is not None:
            help_text = f"{reads.why}. {reasons.SYNC_PROTOCOL.help}"
            raise Refused(reasons.SYNC_PROTOCOL, name, help_text, because=(reads.unsure,))

    def _is_plain_class(self, function: FunctionPlace) -> bool:
        """Whether all code that reads attributes of the class, or of a subclass, is visible."""
        project, owner = self._project, owner_of(self._project, function)
        name = function.name
        owners = {
            owner_of(project, item) for item in project.calls.override_sets().override_set(function)
        }
        for word in (owner, *project.all_subclasses(owner)):
            facts = project.class_facts(word)
            if facts is None or facts.keywords or not facts.unique or name in facts.assigned:
                return False
            if name in facts.members and word not in owners:
                return False
            if set(project.library_ancestors(word)) - library_names().harmless_bases:
                return False
            if project.orm.mapped_class(word) is not None:
                return False
            if any(
                None in each.bases or _LOOKING_UP & each.members
                for each in project.class_line(word)
            ):
                return False
        defined = project.class_definition(owner)
        if defined is None:
            return False
        module, node = defined
        # A setter is a second function of that name.
        return len(module.scopes.scope_made_by(node).bindings_of(name)) == 1

    # ------------------------------------------------------------------------------------ writing
    def edits(self, site: Site[ast.AST], function: FunctionPlace) -> Iterator[Edit]:
        """Yield what makes a method of a property."""
        pair = self._project.calls.definition_of(function)
        decorator = None if pair is None else self._decorator(*pair)
        if pair is None or decorator is None:
            return
        _, node = pair
        kept = self._free_name(function) if self.kind_of(function) == "cached" else ""
        first = first_parameter(node)
        has_docstring = ast.get_docstring(node, clean=False) is not None
        data = Method(node.decorator_list.index(decorator), kept, first, has_docstring)
        yield site.rewrite(node, METHOD, data)
        yield from release_imports(site, decorator) if kept else ()

    def caveats(self, function: FunctionPlace) -> list[str]:
        """Return what may be otherwise with a property that becomes a method."""
        name = function.name
        called = f"`{name}` becomes a method"
        caveats = [f"{called}: code that reads it by its name in a string gets the method itself"]
        if self.kind_of(function) == "cached":
            caveats.append(
                f"two tasks that call `{name}` of one object at the same time both compute it"
            )
        return caveats

    def _free_name(self, function: FunctionPlace) -> str:
        owner = owner_of(self._project, function)
        taken = names_taken(self._project, (owner, *self._project.all_subclasses(owner)))
        name = f"_{function.name.lstrip('_')}"
        while name in taken:
            name += "_kept"
        return name

    def _decorator(self, module: Module, node: Function) -> ast.expr | None:
        """Return the decorator of a method that makes a property of it."""
        if module.enclosing_class(node) is None:
            return None
        return next((part for part in node.decorator_list if self.makes(module, part)), None)


def _ends_with_result(module: Module, node: Function) -> bool:
    """Whether a function returns once, in its last statement."""
    returns = [] if module.is_generator(node) else [*module.returns_of(node)]
    return returns == node.body[-1:] and returns[0].value is not None

"""Properties that wait: they become methods, and what reads them awaits a call.

A cached one keeps what it gave under another name of its object.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.payload import METHOD, Method
from awaken.contract import Edit, Place
from awaken.kit.imports import release_imports
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter, is_super, last_name
from awaken.project.values.domain import ClassOf, InstanceOf, classes_in, without_none

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


def owner_of(project: Project, method: FunctionPlace) -> str:
    """Return the qualified name of the class that has a method."""
    home = project.layout.name_of(method.path)
    return f"{home}.{method.qualname.rpartition('.')[0]}"


def names_taken(project: Project, classes: Iterable[str]) -> set[str]:
    """Return the names that classes have for attributes, their own and those of their bases."""
    return {
        name
        for qualified in classes
        for facts in project.class_line(qualified)
        for name in facts.attributes
    }


_ASKING = {"attrgetter", "delattr", "getattr", "hasattr", "object", "patch", "setattr"}
"""Functions that are given the name of an attribute in a string."""


class Reads(NamedTuple):
    """The readers of a property, and the first place that may be another one."""

    calls: tuple[Call, ...]
    unsure: Place | None
    why: str


class PropertyReads:
    """Answers for one program; ``around`` gives the function in which an expression runs."""

    def __init__(
        self, project: Project, around: Callable[[Module, ast.AST], FunctionPlace]
    ) -> None:
        self._project = project
        self._around = around
        self._found: dict[FunctionPlace, Reads] = {}

    def reads_of(self, function: FunctionPlace) -> Reads:
        """Return what reads a property of the program."""
        if function not in self._found:
            # Code that reads one of them may read each.
            kin = (function, *self._project.calls.override_sets().override_set(function))
            reads = self._all(function, frozenset(kin))
            self._found.update(dict.fromkeys(kin, reads))
        return self._found[function]

    def _all(self, function: FunctionPlace, kin: frozenset[FunctionPlace]) -> Reads:
        name = function.name
        calls: list[Call] = []
        unsure: dict[Place, str] = {}
        for module, node, why in self._mentions(name, kin):
            if why:
                unsure[module.place(node)] = why
            elif why is None:
                place, caller = module.place(node), self._around(module, node)
                calls.append(Call(place, caller, name, "one", (function,), ""))
                if caller.start < 0:
                    unsure[place] = "A file reads it at import time"
        for place in self._computed_calls(kin):
            unsure.setdefault(place, "The program may read it by a computed name")
        first = min(unsure, default=None)
        return Reads(tuple(calls), first, "" if first is None else unsure[first])

    def _mentions(
        self, name: str, kin: frozenset[FunctionPlace]
    ) -> Iterator[tuple[Module, ast.expr, str | None]]:
        """Yield what may read a property: None says that it does, a text why that is unsure."""
        for module, node in nodes_with(self._project, (name.encode(),), ast.AST):
            match node:
                case ast.Attribute() if node.attr == name:
                    yield module, node, self._read_at(module, node, kin)
                case ast.Constant(value=str() as text) if module is not None:
                    if text.rpartition(".")[2] == name:
                        yield module, node, self._named_at(module, node, kin)

    def _read_at(
        self, module: Module, node: ast.Attribute, kin: frozenset[FunctionPlace]
    ) -> str | None:
        """Return None where a property is read, empty where it is not, else why that is unsure."""
        name = node.attr
        if is_super(node.value):
            owner = module.full_name(module.enclosing_class(node))
            result = [self._is_owner(owner, name, kin)]
            unknown = None
        else:
            values = self._project.values.of(module, node.value)
            unknown = values.unknown
            # Nothing is read of None.
            owners = without_none(values.alternatives)
            result = [
                isinstance(item, ClassOf | InstanceOf) and self._is_owner(item.qualified, name, kin)
                for item in owners
            ]
            if any(
                isinstance(value, ClassOf) and is_one
                for value, is_one in zip(owners, result, strict=True)
            ):
                return "The program reads it on the class"
        if unknown is not None:
            return f"`{module.excerpt(node)}` may read it: {unknown.why}"
        if result and all(result):
            is_read = isinstance(node.ctx, ast.Load)
            return None if is_read else "The program assigns or deletes it"
        return "This may read it, or an attribute of another class" if any(result) else ""

    def _is_owner(self, qualified: str, name: str, kin: frozenset[FunctionPlace]) -> bool:
        """Whether ``name`` of an instance of a class is a property of ``kin``."""
        functions = self._project.calls.override_sets().methods(qualified, name)
        return bool(functions) and set(functions) <= kin

    def _named_at(self, module: Module, node: ast.Constant, kin: frozenset[FunctionPlace]) -> str:
        """Return why a text may have the property read or replaced; empty if it does not."""
        call = module.parent(node)
        if isinstance(call, ast.Subscript | ast.Compare) and b"__dict__" in module.source.text:
            return "The program may take it from the object's `__dict__`"
        if not isinstance(call, ast.Call) or last_name(call.func) not in _ASKING:
            return ""
        owners = self._project.values.of(module, call.args[0]) if call.args else None
        is_other = (
            owners is not None
            and call.args[0] is not node
            and owners.is_known
            and not any(
                isinstance(item, ClassOf | InstanceOf) and self._may_have(item.qualified, node, kin)
                for item in owners.alternatives
            )
        )
        return "" if is_other else "The program may read or replace it by its name in a string"

    def _may_have(self, qualified: str, node: ast.Constant, kin: frozenset[FunctionPlace]) -> bool:
        name = str(node.value).rpartition(".")[2]
        return bool(kin.intersection(self._project.calls.override_sets().methods(qualified, name)))

    def _computed_calls(self, kin: frozenset[FunctionPlace]) -> Iterator[Place]:
        """Yield the calls of ``getattr`` that may ask an object of the class for it."""
        owners = {owner_of(self._project, function) for function in kin}
        below = {each for name in owners for each in (name, *self._project.all_subclasses(name))}
        for module, node in nodes_with(self._project, (b"getattr",), ast.Call):
            match node:
                case ast.Call(args=[owner, ast.Constant(), *_]):
                    continue
                case ast.Call(args=[owner, _, *_]):
                    is_asked = module.scopes.builtin_called(node) in {"getattr", "hasattr"}
                    values = self._project.values.of(module, owner).alternatives if is_asked else ()
                    if not below.isdisjoint(classes_in(values)):
                        yield module.place(node)


def read_at(module: Module, place: Place) -> ast.Attribute:
    """Return the attribute that is read at ``place``."""
    name = (
        module.source.text[place.span.start : place.span.end].rpartition(b".")[2].strip().decode()
    )
    nodes = (mention for mention in module.mentions(name) if isinstance(mention, ast.Attribute))
    return next(attribute for attribute in nodes if module.place(attribute) == place)

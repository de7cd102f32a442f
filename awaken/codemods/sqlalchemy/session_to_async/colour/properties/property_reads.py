"""Code that reads a property: attributes of its objects, and their names in strings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.properties.lines_of_classes import owner_of
from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_super, last_name
from awaken.project.values.domain import ClassOf, InstanceOf, classes_in, without_none

if TYPE_CHECKING:
    from awaken.project import Project

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

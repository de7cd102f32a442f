"""Results of function calls: coroutines, generators, or objects that are entered.

A plain function that returns an object with ``__enter__`` stays plain where another one, decorated
by ``contextmanager``, is called in its place: its result is entered asynchronously. So does a
declaration without a body, such as one of a protocol.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import entering_methods
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_HOW = {"coroutine": "awaited", "manager": "entered asynchronously"}
MANAGER = "contextlib.contextmanager"
_SEVERAL = {"generator", "manager"}


def is_constructor(module: Module, node: ast.AST) -> bool:
    """Whether a function is the `__init__` of a class."""
    is_named = isinstance(node, ast.FunctionDef) and node.name == "__init__"
    return is_named and isinstance(module.parent(node), ast.ClassDef)


class Results:
    """The results of the functions of one program; ``kin`` are those that replace each other.

    The results of ``entered`` ones are entered asynchronously, whatever replaces them.
    """

    def __init__(
        self,
        project: Project,
        kin: Callable[[FunctionPlace], Iterable[FunctionPlace]],
        entered: Collection[FunctionPlace] = (),
    ) -> None:
        self._project = project
        self._kin = kin
        self._entered = entered

    @cached_method
    def kind_of(self, function: FunctionPlace) -> str:
        """Return what a call gives: a ``coroutine``, a ``generator``, a ``manager``, a ``class``.

        This holds after the function and all its replacements have changed.
        """
        own = self._own_kind(function)
        return own or self._kind_among(function)

    def stays_plain(self, function: FunctionPlace) -> bool:
        """Whether a function returns a manager or a generator, but is not one itself."""
        return not self._own_kind(function) and self.kind_of(function) != "coroutine"

    def entering_methods(self, function: FunctionPlace) -> list[FunctionPlace]:
        """Return the methods that enter and leave what a plain function gives."""
        is_plain = self.stays_plain(function)
        return entering_methods(self._project, self._classes(function)) if is_plain else []

    # ------------------------------------------------------------------------------------- parts
    def _own_kind(self, function: FunctionPlace) -> str:
        """Return what a function gives as it is written; empty if it is a plain one."""
        pair = self._project.calls.definition_of(function)
        if pair is None:
            return "coroutine"
        module, node = pair
        for decorator in node.decorator_list:
            if self._project.qualified_name(module, decorator) == MANAGER:
                return "manager"
        if is_constructor(module, node):
            return "class"
        return "generator" if module.is_generator(node) else ""

    def _kind_among(self, function: FunctionPlace) -> str:
        """Return the kind of result of a plain function, from its replacements."""
        kinds = {self._own_kind(item) for item in self._kin(function)} & _SEVERAL
        kinds |= {"manager"} if function in self._entered else set()
        if len(kinds) != 1:
            return "coroutine"
        kind = kinds.pop()
        is_one = self._is_declared(function) or (kind == "manager" and self._classes(function))
        return kind if is_one else "coroutine"

    def _is_declared(self, function: FunctionPlace) -> bool:
        """Whether a function only declares what its overrides do."""
        node = self._project.calls.definition_of(function)
        return node is not None and self._project.calls.is_declaration(*node)

    def _classes(self, function: FunctionPlace) -> list[str]:
        """Return the classes of the program whose objects a plain function gives, to be entered.

        None if it may give anything else.
        """
        module, node = self._project.calls.definition_of(function) or (None, None)
        if module is None or not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return []
        returned = [*module.returns_of(node)]
        kin = self._project.calls.override_sets()
        classes: list[str] = []
        for part in returned:
            values = None if part.value is None else self._project.values.of(module, part.value)
            if values is None or not values.is_known:
                return []
            for value in values.alternatives:
                if not isinstance(value, InstanceOf) or not kin.methods(
                    value.qualified, "__enter__"
                ):
                    return []
                classes.append(value.qualified)
        return classes


class FakeEngines:
    """The methods of such classes of one program, each with a place at which it is called."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.awaited: dict[FunctionPlace, Place] = {}
        self.entered: dict[FunctionPlace, Place] = {}

    def add(self, operation: Operation, place: Place) -> None:
        """Note what an operation at ``place`` may call of fakes."""
        if operation.how not in {"awaited", "entered"}:
            return
        places = self.awaited if operation.how == "awaited" else self.entered
        for fake in operation.fakes:
            for method in self._project.calls.override_sets().methods(fake, operation.method):
                places.setdefault(method, place)

    def refusals(self, results: Results) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the methods that give nothing which could be entered, or awaited."""
        for expected, methods in (("coroutine", self.awaited), ("manager", self.entered)):
            for method, place in methods.items():
                if results.kind_of(method) != expected:
                    why = f"`{method.qualname}` may or may not be {_HOW[expected]}"
                    yield method, Refused(TEST_DOUBLE, why, because=(place,))

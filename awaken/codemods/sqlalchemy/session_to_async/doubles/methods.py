"""The methods of an object that wait, once the program is asynchronous: those of its doubles."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.called_methods import RESULT, Uses
from awaken.codemods.sqlalchemy.session_to_async.doubles.factories import callers_of_factory
from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import first_parameter, last_name
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project

GIVING = name_list("giving")
ENTERING = ("__enter__", "__aenter__")
"""What a block calls, which most managers answer with themselves."""


class WaitingMethods:
    """Tells them for one program: of each, whether the program does something with its result."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._uses = Uses(part)

    def of_class(self, qualified: str, home: str) -> dict[str, bool]:
        """Return the methods of a class that wait and that the file ``home`` calls."""
        part, called = self._part, self._project.called_names(home)
        result: dict[str, bool] = {}
        for name in sorted(called):
            functions = self._project.replacements.methods(qualified, name)
            is_waiting = any(function in part.steps for function in functions)
            if is_waiting and self._is_called_on_object(qualified, home, name):
                result[name] = any(map(part.is_result_used, functions))
        return result

    def _is_called_on_object(self, qualified: str, home: str, name: str) -> bool:
        """Whether a file may call a method of a class on an object that a test passes."""
        module = self._project.module(home)
        mentions = [] if module is None else module.mentions(name)
        known = [node for node in mentions if isinstance(node, ast.Attribute | ast.Name)]
        return not known or any(
            module and self._may_be_of_mock(qualified, module, node) for node in known
        )

    def _may_be_of_mock(
        self, qualified: str, module: Module, node: ast.Attribute | ast.Name
    ) -> bool:
        """Whether a mock may have a method: no library and no class is one.

        Nor is an object in its own methods, or what these make.
        """
        layout = self._project.layout
        owner = node.value if isinstance(node, ast.Attribute) else None
        around = module.enclosing_def(node)
        cls = None if around is None else module.enclosing_class(around)
        if isinstance(owner, ast.Name) and around is not None and cls is not None:
            is_own = f"{layout.name_of(module.path)}.{module.qualname(cls)}" == qualified
            is_static = "staticmethod" in map(last_name, around.decorator_list)
            is_self = owner.id == first_parameter(around) and not is_static
            if is_self or (is_own and module.scopes.parameter_of(owner) is None):
                return False
        if owner is not None and self._project.classes_of(module, owner):
            return False
        name = self._project.qualified_name(module, node)
        return name is None or layout.path_of(name.partition(".")[0]) is not None

    def methods_called(self, qualified: str, name: str) -> list[FunctionPlace]:
        """Return the methods of a class with one name that wait."""
        functions = self._project.replacements.methods(qualified, name)
        return [function for function in functions if function in self._part.steps]

    def of_whole_class(self, qualified: str) -> dict[str, bool]:
        """Return all methods of a class that wait."""
        names = sorted({step.name for step in self._part.steps})
        result = {
            name: self.methods_called(qualified, name) for name in names if name != "__init__"
        }
        return {
            name: any(map(self._part.is_result_used, functions))
            for name, functions in result.items()
            if functions
        }

    def of_object(self, module: Module, replacement: Replacement) -> dict[str, bool]:
        """Return the functions that wait of an object, a class, a module, a function's results.

        ``module`` is the file that replaces it.
        """
        if replacement.factory:
            return self.of_session(callers_of_factory(self._part, module, replacement))
        if replacement.cls:
            result = self.of_class(replacement.cls, replacement.home)
            behind = self.methods_reached_from(replacement.name, replacement.home)
            if replacement.is_class:
                # Mocks of classes are configured through their instances: their own results.
                behind = {
                    name.removeprefix(f"{RESULT}."): is_used
                    for name, is_used in behind.items()
                    if name.startswith(f"{RESULT}.")
                }
                entered = [name for name in ENTERING if self.methods_called(replacement.cls, name)]
                behind |= {
                    f"{name}.{RESULT}.{method}": is_used
                    for name in entered
                    for method, is_used in result.items()
                }
            return result | behind | result
        if replacement.module:
            return self.of_module(replacement.module, replacement.home)
        return self.of_results(replacement.functions)

    def methods_reached_from(self, name: str, home: str) -> dict[str, bool]:
        """Return the methods that wait of what the object ``name`` of ``home`` has or gives."""
        module, result = self._project.module(home), dict[str, bool]()
        for node in () if module is None else module.mentions(name):
            if module is not None:
                result |= self._are_used(self._uses.of_object(module, node))
        return dict(sorted(result.items()))

    def of_results(self, functions: Iterable[FunctionPlace]) -> dict[str, bool]:
        """Return the methods that wait of what functions give: ``return_value.prices.get``."""
        return self._results(tuple(functions))[0]

    def waiting_for(self, functions: tuple[FunctionPlace, ...]) -> set[Place]:
        """Return where the functions begin that call these methods of what functions give."""
        return self._results(functions)[1]

    @cached_method
    def _results(self, functions: tuple[FunctionPlace, ...]) -> tuple[dict[str, bool], set[Place]]:
        uses = self._uses.of_results(functions)
        return self._are_used(uses), {one.caller.place for each in uses.values() for one in each}

    def _are_used(self, uses: Mapping[str, list[Call]]) -> dict[str, bool]:
        used = self._part.is_result_used
        return {
            chain: any(used(function) for call in calls for function in call.functions)
            for chain, calls in uses.items()
        }

    def of_module(self, path: str, home: str) -> dict[str, bool]:
        """Return the functions of the file ``path`` that wait and that the file ``home`` calls."""
        part, called = self._part, self._project.called_names(home)
        return {
            step.qualname: part.is_result_used(step)
            for step in sorted(part.steps)
            if step.path == path and step.qualname in called
        }

    def of_session(self, functions: Iterable[FunctionPlace]) -> dict[str, bool]:
        """Return the methods of a session that functions, and what they call, wait for."""
        asked = tuple(functions)
        return self._for_session(asked)

    @cached_method
    def _for_session(self, functions: Iterable[FunctionPlace]) -> dict[str, bool]:
        part, awaited = self._part, {*twins().awaited["session"]}
        result: dict[str, bool] = {}
        reached = self._project.calls.graph().reachable(functions)
        for pair in self._project.with_modules(reached):
            for operation in part.operations_of(*pair):
                if operation.how == "awaited" and operation.method in awaited:
                    result[operation.method] = operation.method in GIVING
        return dict(sorted(result.items()))

    def functions_with(self, function: FunctionPlace) -> list[FunctionPlace]:
        """Return a function, and of a constructor all methods of its class."""
        owner, _, name = function.qualname.rpartition(".")
        if name != "__init__":
            return [function]
        return [
            candidate
            for candidate in self._project.calls.graph().functions()
            if candidate.path == function.path and candidate.qualname.rpartition(".")[0] == owner
        ]


def is_told_to_mock(part: SynchronousPart, place: Place) -> bool:
    """Whether a test tells or asks a mock at ``place``: ``service.mock.method.return_value``.

    It does if the file passes nothing but mocks for objects of that class, or tests assign them.
    These get awaitable methods where the program calls them.
    """
    module = part.project.module(place.path)
    if module is None or not is_around_tests(place.path):
        return False
    for node in module.walk():
        match node:
            case ast.Attribute(attr=word, value=ast.Attribute(value=owner, attr=method)) if (
                library_names().is_of_mock(word) and module.span(node) == place.span
            ):
                values = part.project.values.of(module, owner).alternatives
                classes = {value.qualified for value in values if isinstance(value, InstanceOf)}
                if not len(classes) == len(values) == 1:
                    return False
                (cls,) = classes
                passed = _are_mocks(part, module, cls, method)
                if passed is None and isinstance(owner, ast.Attribute):
                    return _are_put(part, owner.attr, cls)
                return bool(passed)
    return False


def _are_put(part: SynchronousPart, attribute: str, cls: str) -> bool:
    """Whether tests assign mocks, and nothing else, to an attribute that has an object of a class.

    A test sets `return_value` of no other object's method: only a mock has it.
    """
    project = part.project
    replaced = [
        (module, replacement.given)
        for module in project.modules_at(part.stand_ins.paths)
        for replacement in project.replacements.in_module(module)
        if isinstance(replacement.node, ast.Assign)
        if (replacement.name, replacement.cls) == (attribute, cls)
    ]
    return bool(replaced) and all(
        given is not None and project.mocks.made_at(module, given) is not None
        for module, given in replaced
    )


def _are_mocks(part: SynchronousPart, module: Module, cls: str, method: str) -> bool | None:
    """Whether a file passes mocks alone for objects of a class to what calls its ``method``.

    None if it passes nothing for them.
    """
    project, result = part.project, None
    for call in project.calls.graph().calls_in(module.path):
        for function in call.functions:
            home = part.node_of(function)
            nodes = [] if home is None else module.calls_at(call.place.span)[:1]
            given = [
                item
                for node in nodes
                if home is not None
                for item in project.mocks.of_class(node, *home, cls)
            ]
            if not all(project.mocks.made_at(module, argument) for argument in given):
                return False
            if given and method not in project.called_names(function.path):
                return False
            result = result or bool(given) or None
    return result


def asked_more(project: Project, places: Mapping[Place, Anew]) -> frozenset[str]:
    """Return the methods of sessions that are called at places, and the attributes asked there."""
    attributes = (place.asked for place in places.values() if place.asked)
    modules = [(project.module(place.path), place) for place in places]
    calls = [one for module, place in modules if module for one in module.calls_at(place.span)[:1]]
    return frozenset((*(last_name(call.func) for call in calls), *attributes))

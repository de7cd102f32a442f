"""Mocks that tests make themselves and pass to the program: where they are made, and for what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, argument_of, parameters_of
from awaken.project.values.domain import InstanceOf, Session, Value
from awaken.project.values.pytest_fixtures import fixture_for

_CLASSES = library_names().mocks
_MOST_FIXTURES = 5
"""Fixtures that hand on each other's mock; real ones do not."""


@dataclass(frozen=True, slots=True)
class Mocked:
    """A ``call`` that makes a mock, and the variables that hold it, each with its function."""

    module: Module
    call: ast.Call
    variables: tuple[tuple[Module, ast.AST, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PassedMock:
    """A mock that is passed for a session, if ``cls`` is empty, or for an object of that class."""

    mocked: Mocked
    cls: str = ""


class Mocks:
    """Finds mocks, and tells what they are passed for."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def is_made(self, module: Module, node: ast.AST | None) -> bool:
        """Whether ``node`` makes a mock that gives no coroutine when it is called."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as fixture, attr="MagicMock" | "Mock" as name)
            ) if any(
                isinstance(value, InstanceOf) and f"{value.qualified}.{name}" in _CLASSES
                for value in self._evaluator.values(module, fixture)
            ):
                return True
            case ast.Call():
                return self._evaluator.names.qualified(module, node.func) in _CLASSES
        return False

    def made_at(self, module: Module, node: ast.expr, depth: int = 0) -> Mocked | None:
        """Return the call that makes the mock which ``node`` is; None if it is something else.

        By a variable, and by a fixture.
        """
        if isinstance(node, ast.Call) and self.is_made(module, node):
            return Mocked(module, node)
        if not isinstance(node, ast.Name) or depth > _MOST_FIXTURES:
            return None
        bindings = module.scopes.bindings_of(node)
        if len(bindings) != 1:
            return None
        binding = bindings[0]
        around = binding.scope.node
        of_fixture: Mocked | None = None
        if isinstance(binding.value, ast.Call):
            if self.is_made(module, binding.value):
                of_fixture = Mocked(module, binding.value)
        elif isinstance(binding.node, ast.arg) and isinstance(around, Function):
            of_fixture = self._of_fixture(module, around, node.id, depth)
        if of_fixture is None:
            return None
        variables = (*of_fixture.variables, (module, around, node.id))
        return Mocked(of_fixture.module, of_fixture.call, variables)

    def all_made_at(self, module: Module, node: ast.expr) -> tuple[Mocked, ...]:
        """Return the mocks that ``node`` is, those that calls pass to a helper among them.

        It is empty if ``node`` may be something else, too.
        """
        mocked = self.made_at(module, node)
        bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
        if mocked is not None or len(bindings) != 1:
            return () if mocked is None else (mocked,)
        passed = self._evaluator.passed(module, bindings[0])
        arguments = () if passed is None or passed.doubts else passed.given
        result = [self.made_at(argument.module, argument.node) for argument in arguments]
        return () if None in result else tuple(filter(None, result))

    def _of_fixture(
        self, module: Module, function: Function, name: str, depth: int
    ) -> Mocked | None:
        evaluator = self._evaluator
        around = module.parent(function)
        beside = around.body if isinstance(around, ast.ClassDef) else []
        nearer = [part for part in beside if isinstance(part, Function) and part.name == name]
        fixture = fixture_for(module, function, name, evaluator.names, evaluator.load)
        home = module if nearer or fixture is None else fixture.module
        node = nearer[0] if nearer else (None if fixture is None else fixture.node)
        if not isinstance(node, Function):
            return None
        given = [
            part.value
            for part in home.walk(node)
            if isinstance(part, ast.Return | ast.Yield) and part.value is not None
        ]
        return self.made_at(home, given[0], depth + 1) if len(given) == 1 else None

    def for_sessions(self, call: ast.Call, home: Module, function: Function) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as sessions."""
        for given, value in self._declared_pairs(call, home, function):
            if isinstance(value, Session) and value.kind == "session":
                yield given

    def of_class(
        self, call: ast.Call, home: Module, function: Function, cls: str
    ) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as a class."""
        for given, value in self._declared_pairs(call, home, function):
            if isinstance(value, InstanceOf) and value.qualified == cls:
                yield given

    def _declared_pairs(
        self, call: ast.Call, home: Module, function: Function, bound: int | None = None
    ) -> Iterator[tuple[ast.expr, Value]]:
        """Yield what a call passes to annotated parameters, with each value that is declared.

        ``bound`` parameters are given by what the function is called on: one, if it is a method.
        """
        if bound is None:
            bound = int(home.enclosing_class(function) is not None)
        for parameter, _ in parameters_of(function.args):
            given = argument_of(call, function, parameter, bound)
            if given is not None and parameter.annotation is not None:
                for value in self._evaluator.declared(home, parameter.annotation):
                    yield given, value

    def passed(
        self, module: Module, call: ast.Call, home: Module, function: Function, bound: int
    ) -> Iterator[PassedMock]:
        """Yield the mocks that a call passes to the annotated parameters of a function."""
        for given, value in self._declared_pairs(call, home, function, bound):
            mocked = self.made_at(module, given)
            match value:
                case Session() if mocked is not None:
                    yield PassedMock(mocked)
                case InstanceOf(qualified=qualified) if mocked is not None:
                    yield PassedMock(mocked, qualified)

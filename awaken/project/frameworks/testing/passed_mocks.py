"""Mocks that tests make themselves and pass to the program: where they are made, and for what."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, argument_of, parameters_of
from awaken.project.values.domain import FunctionOf, InstanceOf, Session, Value, classes_in
from awaken.project.values.pytest_fixtures import fixture_for

_CLASSES = library_names().mocks


def is_of_mock(name: str) -> bool:
    """Whether an attribute configures a mock, or says how it was called: functions have none."""
    return name in library_names().mock_attributes or name.startswith("assert_")


class Mocked(Struct, frozen=True):
    """A ``call`` that makes a mock, and the variables that hold it, each with its function."""

    module: Module
    call: ast.Call
    variables: tuple[tuple[Module, ast.AST, str], ...] = ()


class PassedMock(Struct, frozen=True):
    """A mock that is passed for a session, if ``cls`` is empty, or for an object of that class."""

    mocked: Mocked
    cls: str = ""


class Mocks(ProgramFacts):
    """Finds mocks, and tells what they are passed for."""

    def is_made(self, module: Module, node: ast.AST | None) -> bool:
        """Whether ``node`` makes a mock that gives no coroutine when it is called."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as fixture, attr="MagicMock" | "Mock" as name)
            ) if any(
                f"{owner}.{name}" in _CLASSES
                for owner in classes_in(self._evaluator.values(module, fixture))
            ):
                return True
            case ast.Call():
                return self._evaluator.names.qualified_name(module, node.func) in _CLASSES
        return False

    def made_at(self, module: Module, node: ast.expr) -> Mocked | None:
        """Return the call that makes the mock which ``node`` is; None if it is something else.

        By a variable, by a fixture or a helper of the tests, and by an object that keeps it.
        """
        made = self._call_making(module, node)
        return made if made is not None and self.is_made(made.module, made.call) else None

    @recursive()
    def _call_making(self, module: Module, node: ast.AST | None) -> Mocked | None:
        """Return the call that makes the object which ``node`` is, and the variables of it."""
        match node:
            case ast.Call():
                helper = self._helper(module, node)
                if helper is None:
                    return Mocked(module, node)
                returned = helper.module.returned_by(helper.node)
                return self._call_making(helper.module, returned[0])
            case ast.Attribute():
                return self._kept(module, node)
            case ast.Name():
                binding = module.scopes.only_binding(node)
                made = None if binding is None else self._bound(module, binding)
                if binding is None or made is None:
                    return None
                variables = (*made.variables, (module, binding.scope.node, node.id))
                return Mocked(made.module, made.call, variables)
        return None

    def _bound(self, module: Module, binding: Binding) -> Mocked | None:
        around = binding.scope.node
        if isinstance(binding.node, ast.arg) and isinstance(around, Function):
            return self._of_fixture(module, around, binding.name)
        is_whole = binding.kind == "assignment"
        return self._call_making(module, binding.value) if is_whole else None

    def _helper(self, module: Module, call: ast.Call) -> FunctionOf | None:
        """Return the function of the tests that a call runs, if it returns an object at one end."""
        if not is_around_tests(module.path) or self.is_made(module, call):
            return None
        for value in self._evaluator.values(module, call.func):
            match value:
                case FunctionOf(module=home, node=ast.FunctionDef(decorator_list=[]) as function):
                    is_of_tests = is_around_tests(home.path) and not home.is_generator(function)
                    if is_of_tests and len(home.returned_by(function)) == 1:
                        return value
        return None

    def _kept(self, module: Module, node: ast.Attribute) -> Mocked | None:
        """Return the call that makes what an object was given and keeps: ``Service(mock).db``."""
        owner = self._call_making(module, node.value)
        if owner is None or self.is_made(owner.module, owner.call):
            return None
        names, classes = self._evaluator.names, self._evaluator.classes
        qualified = names.qualified_name(owner.module, owner.call.func) or ""
        bodies = ((home, home.walk(body)) for _, home, body in classes.bodies(qualified))
        stores = [
            (home, mention)
            for home, nodes in ((module, module.nodes(ast.Attribute)), *bodies)
            for mention in nodes
            if isinstance(mention, ast.Attribute) and mention.attr == node.attr
            if isinstance(mention.ctx, ast.Store)
        ]
        # Of several values, any may be there when the test runs.
        if len(stores) != 1:
            return None
        home, store = stores[0]
        function, statement = home.enclosing_def(store), home.statement_of(store)
        is_in_init = function is not None and function.name == "__init__"
        # Set in another method, or under a condition, it may not be there yet.
        if function is None or not is_in_init or statement not in function.body:
            return None
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        parameter = None if value is None else home.scopes.parameter_of(value)
        if parameter is None or not isinstance(parameter.node, ast.arg):
            return None
        argument = argument_of(owner.call, function, parameter.node, 1)
        return self._call_making(owner.module, argument)

    def all_made_at(self, module: Module, node: ast.expr) -> tuple[Mocked, ...]:
        """Return the mocks that ``node`` is, those that calls pass to a helper among them.

        It is empty if ``node`` may be something else, too.
        """
        mocked = self.made_at(module, node)
        bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
        if mocked is not None or len(bindings) != 1:
            return () if mocked is None else (mocked,)
        passed = self._evaluator.passed_values(module, bindings[0])
        arguments = () if passed is None or passed.doubts else passed.given
        result = [self.made_at(argument.module, argument.node) for argument in arguments]
        return () if None in result else tuple(filter(None, result))

    def _of_fixture(self, module: Module, function: Function, name: str) -> Mocked | None:
        """Return the call that makes what a fixture gives a test."""
        fixture = fixture_for(self._evaluator, module, function, name)
        if fixture is None or not isinstance(fixture.node, Function):
            return None
        home, node = fixture.module, fixture.node
        results = home.outputs_of(node)
        return self._call_making(home, results[0]) if len(results) == 1 else None

    def for_sessions(self, call: ast.Call, home: Module, function: Function) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as sessions."""
        for argument, value in self._declared_pairs(call, home, function):
            if isinstance(value, Session) and value.kind == "session":
                yield argument

    def of_class(
        self, call: ast.Call, home: Module, function: Function, cls: str
    ) -> Iterator[ast.expr]:
        """Yield what a call passes to the parameters that are declared as a class."""
        for argument, value in self._declared_pairs(call, home, function):
            if isinstance(value, InstanceOf) and value.qualified == cls:
                yield argument

    def _declared_pairs(
        self, call: ast.Call, home: Module, function: Function, bound: int | None = None
    ) -> Iterator[tuple[ast.expr, Value]]:
        """Yield what a call passes to parameters, with each value that is declared.

        Without an annotation, it is each value that a visible call passes.
        ``bound`` parameters are given by what the function is called on: one, if it is a method.
        """
        if bound is None:
            bound = int(takes_receiver(home, function))
        for parameter, _ in parameters_of(function.args):
            argument = argument_of(call, function, parameter, bound)
            if argument is None:
                continue
            values = (
                self._evaluator.parameters.received_values(home, function, parameter)
                if parameter.annotation is None
                else self._evaluator.declared_values(home, parameter.annotation)
            )
            for value in values:
                yield argument, value

    def passed_mocks(
        self, module: Module, call: ast.Call, home: Module, function: Function, bound: int
    ) -> Iterator[PassedMock]:
        """Yield the mocks that a call passes to the parameters of a function."""
        for argument, value in self._declared_pairs(call, home, function, bound):
            mocked = self.made_at(module, argument)
            match value:
                case Session() if mocked is not None:
                    yield PassedMock(mocked)
                case InstanceOf(qualified=qualified) if mocked is not None:
                    yield PassedMock(mocked, qualified)

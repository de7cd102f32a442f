"""Functions of libraries that are given an application, and what they do to its handlers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from awaken.knowledge.applications import Effect, installers
from awaken.project.frameworks.web.applications import Application, Applications
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of, last_name, parameter_getting
from awaken.project.source.worklist import MOST_STEPS, Worklist
from awaken.project.values.domain import ClassOf, External, FunctionOf, InstanceOf


class Installation(Struct, frozen=True):
    """The call ``node`` gives an application to ``name``; ``effect`` is None if it is unknown."""

    module: Module
    node: ast.Call
    name: str
    effect: Effect | None


class _Carrier(Struct, frozen=True):
    """A name that is an application: in all of a file, or as a parameter of one function."""

    module: Module
    name: str
    function: Function | None = None


class Installations:
    """Finds the calls that are given an application.

    It is followed by its names: those that it is assigned to where it is made, or is assigned to
    as the result of the function that makes it, and the parameters of functions that it is given
    to.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, applications: Applications, targets: Any
    ) -> None:
        self._evaluator = evaluator
        self._applications = applications
        self._targets = targets
        self._words = evaluator.callers.words

    def installations_on(self, application: Application) -> Iterator[Installation]:
        """Yield every call that gives ``application`` to a library.

        If there are too many names to follow, one with an unknown effect is yielded for the rest.
        """
        waiting = Worklist(self._names(application), _key)
        for carrier in waiting:
            if len(waiting.seen) > MOST_STEPS + 1:
                yield from self._rest(application, carrier)
                return
            waiting += _kept_as(carrier)
            for call, given in _given_calls(carrier):
                # The name was a guess; its meaning here decides.
                if (
                    application
                    not in self._applications.applications_of(carrier.module, given).applications
                ):
                    continue
                installation = self._installation(carrier.module, call)
                if installation is not None:
                    yield installation
                waiting += self._parameters(carrier.module, call, given)

    def _rest(self, application: Application, carrier: _Carrier) -> Iterator[Installation]:
        """Yield a placeholder for all code that may get the application from ``carrier`` on."""
        for home, call in self._evaluator.calls_at(application.made):
            name = carrier.name if carrier.function is None else carrier.function.name
            yield Installation(home, call, name, None)

    def _names(self, application: Application) -> Iterator[_Carrier]:
        """Yield the names of the application in the files that can have it."""
        for home, call in self._evaluator.calls_at(application.made)[:1]:
            own = set(_targets_of(home.parent(call)))
            maker = home.enclosing_function(call)
            # An application that is made by a function is named where that is called.
            made = {maker.name} if isinstance(maker, Function) else set()
            for module in self._naming(home, own, made):
                for name in sorted(own | _results(module, made) | _renamed_names(module, own)):
                    yield _Carrier(module, name)

    def _naming(self, home: Module, own: set[str], made: set[str]) -> Iterator[Module]:
        """Yield the files that can name it: they name its file too, or the function it is from."""
        yield home
        # Importers name its file; a name like `app` alone is in most files.
        last = home.name.rpartition(".")[2]
        known = set(self._words.files_with(last))
        paths = {path for word in own for path in self._words.files_with(word) if path in known}
        paths.update(path for word in made for path in self._words.files_with(word))
        yield from self._evaluator.modules_at(sorted(paths - {home.path}))

    def _parameters(self, module: Module, call: ast.Call, given: ast.expr) -> Iterator[_Carrier]:
        """Yield the parameter of a function of the project that ``given`` is passed to."""
        for home, function, bound in self._functions_called(module, call):
            parameter = parameter_getting(call, function, given, bound)
            if parameter is not None:
                yield _Carrier(home, parameter.arg, function)

    def _functions_called(
        self, module: Module, call: ast.Call
    ) -> Iterator[tuple[Module, Function, int]]:
        """Yield the functions of the project that ``call`` reaches, and what it gives by itself."""
        for value in self._evaluator.values(module, call.func):
            match value:
                case FunctionOf(node=ast.FunctionDef() | ast.AsyncFunctionDef() as function):
                    yield value.module, function, int(value.bound is not None)
                case ClassOf(qualified=qualified):
                    node = self._evaluator.classes.node(qualified)
                    for method in node[1].body if node is not None else ():
                        if node and isinstance(method, Function) and method.name == "__init__":
                            yield node[0], method, 1

    def _installation(self, module: Module, call: ast.Call) -> Installation | None:
        names: set[str] = set()
        for value in self._evaluator.values(module, call.func):
            match value:
                case FunctionOf():
                    return None  # followed into
                case ClassOf(qualified=name) | External(qualified=name):
                    names.add(name)
        result = names.pop() if len(names) == 1 else self._of_method(module, call.func)
        if result is None:
            return Installation(module, call, module.excerpt(call.func), None)
        # Code of the program is followed into by its parameters.
        if self._evaluator.names.locate(result) is not None:
            return None
        return Installation(module, call, result, self._effect(result))

    def _of_method(self, module: Module, func: ast.expr) -> str | None:
        """Return the name of a method of a library's object, also after chained calls."""
        if not isinstance(func, ast.Attribute):
            return None
        for owner in self._evaluator.values(module, func.value):
            if isinstance(owner, InstanceOf | ClassOf):
                return f"{owner.qualified}.{func.attr}"
        if not isinstance(func.value, ast.Call):
            return None
        made_by = self._evaluator.names.qualified_name(module, func.value.func)
        if made_by is not None and self._evaluator.names.locate(made_by) is None:
            return f"{made_by}.{func.attr}"
        # Chained calls give back the object: ``Instrumentator().instrument(app).expose(app)``.
        above = self._of_method(module, func.value.func)
        return above and f"{above.rpartition('.')[0]}.{func.attr}"

    def _effect(self, name: str) -> Effect | None:
        for one in installers():
            matches = name.startswith(one.name[:-1]) if one.name.endswith("*") else name == one.name
            if not matches:
                continue
            if not one.versions or self._targets.guarantees(one.distribution, one.versions):
                return one.effect
        return None


def _given_calls(carrier: _Carrier) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Yield the calls that are given something of that name, and what they are given."""
    module = carrier.module
    for node in module.nodes_below(carrier.function, ast.Call):
        for argument in arguments_of(node):
            if last_name(argument) == carrier.name:
                yield node, argument


def _targets_of(statement: ast.AST | None) -> Iterator[str]:
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    return filter(None, map(last_name, targets_of(statement) if is_assignment else ()))


def _results(module: Module, makers: set[str]) -> set[str]:
    """Return the names that are assigned what a function called like one of ``makers`` returns."""
    return {
        name
        for node in module.walk()
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func) in makers
        for name in _targets_of(node)
    }


def _renamed_names(module: Module, names: set[str]) -> set[str]:
    """Return what the imports of a file call something of ``names``."""
    return {
        name.asname
        for node in module.walk()
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in names and name.asname is not None
    }


def _key(carrier: _Carrier) -> tuple[str, str, int]:
    function = carrier.function
    at = -1 if function is None else carrier.module.span(function).start
    return carrier.module.path, carrier.name, at


def _kept_as(carrier: _Carrier) -> Iterator[_Carrier]:
    """Yield the attributes that something of that name is assigned to in a function."""
    if carrier.function is None:
        return
    for node in carrier.module.walk(carrier.function):
        if isinstance(node, ast.Assign) and last_name(node.value) == carrier.name:
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    yield _Carrier(carrier.module, target.attr)

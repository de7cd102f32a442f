"""The results of calls."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.calls.parameter_values import passed_on_by
from awaken.project.values.domain import (
    NEVER,
    ClassOf,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    SessionKind,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.fixtures_by_name import fixtures_asked_for, is_asking
from awaken.project.values.library.origins import Origins, origins_in, parameters_in, passed_on
from awaken.project.values.questions import Questions, given_by

if TYPE_CHECKING:
    pass
from awaken.project.values.calls.bound_arguments import arguments_of, receiver_of
from awaken.project.values.calls.functions import Functions
from awaken.project.values.calls.library_calls import LibraryCalls
from awaken.project.values.calls.new_instances import Making
from awaken.project.values.calls.registering import registered_function
from awaken.project.values.calls.results_of_use import Uses

_INITIALISERS = {"__init__", "__init_subclass__"}


class Results:
    """Follows calls; ``functions`` those of the program, ``uses`` other ways to use a value."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
        self.uses = Uses(evaluator)
        self.functions = Functions(evaluator, self.uses)
        self._making = Making(evaluator)
        self._libraries = LibraryCalls(evaluator, self._making, self.uses)

    def result(self, module: Module, node: ast.Call, known: Environment) -> Values:
        """Return what the call ``node`` returns."""
        # It may return nothing else, whatever class it is of.
        if isinstance(node.func, ast.Attribute) and node.func.attr in _INITIALISERS:
            return (NoneValue(),)
        if is_asking(node) and _asks_pytest(module, node):
            asked = fixtures_asked_for(self._evaluator, module, node)
            if asked:
                return union(*(passed_on_by(self._evaluator.results_of(value)) for value in asked))
        given = registered_function(self._evaluator, module, node, known)
        if given is not None:
            return self._evaluator.values(module, given, known)
        functions = self._evaluator.values(module, node.func, known)
        return self.call_results(functions, module, node, known)

    def call_results(
        self, functions: Values, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        """Return what ``node``, a call of one of ``functions``, returns."""
        return union(*(self._results_of(function, module, node, known) for function in functions))

    def _results_of(
        self, function: Value, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        match function:
            case ClassOf():
                return self._making.instance_of(function.qualified, module, node, known)
            case FunctionOf():
                arguments = arguments_of(function, module, node, known)
                result = self.functions.results_of(function, arguments)
                receiver = receiver_of(function, module, node, known)
                return self._with_origins(result, function, (*receiver, *arguments))
            case External():
                return self._libraries.external(function, module, node, known)
            case Producer(how="callable" | "factory"):
                return function.inner
            case Session(kind="session" | "scoped" | "async-scoped"):
                # A "session" may be a registry that is annotated as its session.
                kind: SessionKind = "async" if function.kind == "async-scoped" else "session"
                return (replace(function, kind=kind),)
            case InstanceOf():
                through = self.uses.method_results
                return (
                    (NEVER,) if function == NEVER else through(function, "__call__", module, node)
                )
            case Unknown():
                return (*self._libraries.as_of_session(module, node, known), function)
            case NotRelevant(mock=True):
                return (function,)
            case NoneValue():
                return ()
            case _:
                text = module.excerpt(node.func)
                why = f"the return value of `{text}` is unknown"
                return (self._evaluator.unknown(module, node, why),)

    def _with_origins(self, found: Values, function: FunctionOf, arguments: Environment) -> Values:
        """Return the result of a call; values from its arguments keep their origins."""
        asked = parameters_in(found)
        given: dict[Place, Origins] = {}
        for argument in arguments if asked else ():
            place = function.module.place(argument.parameter)
            if place in asked:
                values = given_by(self._evaluator, argument)
                origins = origins_in(values, self._evaluator.mapping.is_mapped)
                given |= {} if origins is None else {place: origins}
        return passed_on(found, given) if given else found


def _asks_pytest(module: Module, call: ast.Call) -> bool:
    """Whether a call asks what pytest passes to a test or a fixture as ``request``."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="request") as name):
            return module.scopes.parameter_of(name) is not None
    return False

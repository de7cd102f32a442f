"""The arguments that a call gives to the parameters of a function."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, arguments_given, parameters_of
from awaken.project.values.domain import MOST_CALLS, Argument, Environment, FunctionOf, Values
from awaken.project.values.library_types.solving import has_variables
from awaken.project.values.questions import Questions, given_by


def arguments_of(
    function: FunctionOf, module: Module, node: ast.Call, known: Environment
) -> Environment:
    """Return what a call gives to the parameters of a function, as it is written."""
    # Beyond, a parameter is what its annotation or its callers say.
    if any(argument.depth >= MOST_CALLS for argument in known):
        return ()
    pairs = arguments_given(node, function.node, int(function.bound is not None))
    return tuple(Argument(parameter, module, value, known) for parameter, value in pairs)


def receiver_of(
    function: FunctionOf, module: Module, node: ast.Call, known: Environment
) -> Environment:
    """Return what a call gives to the first parameter of a method, as it is written."""
    if function.bound is None or not isinstance(node.func, ast.Attribute):
        return ()
    first = [argument for argument, _ in parameters_of(function.node.args)][:1]
    return tuple(Argument(argument, module, node.func.value, known) for argument in first)


def solve(
    evaluator: Questions, function: FunctionOf, arguments: Environment, solution: dict[str, Values]
) -> None:
    """Add the types of type variables where a function is given these arguments."""
    module = function.module
    for argument in arguments:
        written = argument.parameter.annotation
        if written is None or argument.parameter not in _parameters(function.node):
            continue
        wanted = evaluator.declared_unsolved(module, written)
        if has_variables(wanted):
            given = given_by(evaluator, argument)
            evaluator.library.solve(wanted, given, solution, module, written)


def _parameters(node: FunctionOrLambda) -> list[ast.arg]:
    return [parameter for parameter, _ in parameters_of(node.args)]

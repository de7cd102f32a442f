"""Arguments of a test's function that replaces one of the program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.source.modules import Module, cached_in_file
from awaken.project.source.replacing import Put, puts_in
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, parameters_of
from awaken.project.source.worklist import multimap
from awaken.project.values.domain import ClassOf, InstanceOf, ModuleOf, Values, functions_in

if TYPE_CHECKING:
    from awaken.project.values.questions import Questions


def parameter_of_replaced(
    evaluator: Questions, module: Module, function: ast.AST, parameter: ast.arg
) -> Values:
    """Return what the parameter of that name is declared as, of all that is replaced; or nothing.

    Nothing as well where one of them is not known.
    """
    if not isinstance(function, Function) or parameter.annotation is not None:
        return ()
    if not is_around_tests(module.path) or function.decorator_list:
        return ()
    result: dict[Values, None] = {}
    for put in _putting(module).get(function.name, ()):
        for home, replaced in functions_in(_target(evaluator, module, put)):
            declared = [
                evaluator.declared_values(home, argument.annotation)
                for argument, _ in parameters_of(replaced.args)
                if argument.arg == parameter.arg and argument.annotation is not None
            ]
            result |= dict.fromkeys(declared or [()])
    return next(iter(result)) if len(result) == 1 else ()


@cached_in_file
def _putting(module: Module) -> dict[str, list[Put]]:
    """Return where a file puts a function in the place of something, by its name."""
    return multimap(
        (value.id, put)
        for puts in puts_in(module).values()
        for put in puts
        for value in (put.value, *(part.value for part in getattr(put.node, "keywords", ())))
        if isinstance(value, ast.Name)
    )


def _target(evaluator: Questions, module: Module, put: Put) -> Values:
    if put.owner is None:
        located = evaluator.names.locate(put.name)
        home = None if located is None else evaluator.load(located.path)
        if home is None or located is None or len(located.rest) != 1:
            return ()
        return evaluator.global_values(home, located.rest[0])
    attributes: list[Values] = []
    for value in evaluator.values(module, put.owner):
        match value:
            case ModuleOf(path=path):
                home = evaluator.load(path)
                attributes.append(() if home is None else evaluator.global_values(home, put.name))
            case ClassOf() | InstanceOf():
                attributes.append(evaluator.attribute(value, put.name, module, put.node))
    return tuple(each for alternative in attributes for each in alternative)

"""What a test's own function is given that stands in for one of the program: what that is given."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name, parameters_of
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    Values,
)

if TYPE_CHECKING:
    from awaken.project.values.questions import Questions

_PUTTING = {"object", "patch", "setattr"}


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
    found: dict[Values, None] = {}
    for call in _putting(module).get(function.name, ()):
        for home, replaced in _replaced(evaluator, module, call):
            declared = [
                evaluator.declared(home, one.annotation)
                for one, _ in parameters_of(replaced.args)
                if one.arg == parameter.arg and one.annotation is not None
            ]
            found |= dict.fromkeys(declared or [()])
    return next(iter(found)) if len(found) == 1 else ()


def _putting(module: Module) -> dict[str, list[ast.Call]]:
    """Return the calls of a file that put a function in the place of something, by its name."""
    kept: dict[str, list[ast.Call]] | None = module.memo.get(_putting)
    if kept is None:
        named: defaultdict[str, list[ast.Call]] = defaultdict(list)
        for node in module.walk():
            if isinstance(node, ast.Call) and last_name(node.func) in _PUTTING:
                given = [*node.args[1:], *(one.value for one in node.keywords)]
                for name in {one.id for one in given if isinstance(one, ast.Name)}:
                    named[name].append(node)
        kept = module.memo[_putting] = dict(named)
    return kept


def _replaced(
    evaluator: Questions, module: Module, call: ast.Call
) -> Iterator[tuple[Module, Function]]:
    """Yield the functions that stood where a call puts something else."""
    for value in _target(evaluator, module, call):
        if isinstance(value, FunctionOf) and isinstance(value.node, Function):
            yield value.module, value.node


def _target(evaluator: Questions, module: Module, call: ast.Call) -> Values:
    match call.args:
        case [ast.Constant(value=str(dotted)), *_]:
            located = evaluator.names.locate(dotted)
            home = None if located is None else evaluator.load(located.path)
            if home is None or located is None or len(located.rest) != 1:
                return ()
            return evaluator.global_values(home, located.rest[0])
        case [owner, ast.Constant(value=str(name)), *_]:
            values = evaluator.values(module, owner)
        case _:
            return ()
    found: list[Values] = []
    for value in values:
        match value:
            case ModuleOf(path=path):
                home = evaluator.load(path)
                found.append(() if home is None else evaluator.global_values(home, name))
            case ClassOf() | InstanceOf():
                found.append(evaluator.attribute(value, name, module, call))
            case _:
                pass
    return tuple(each for one in found for each in one)

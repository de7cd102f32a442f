"""What lambdas are called with, as the functions that take them declare it.

``def run(work: Callable[[Session], T]) -> T`` says what ``db`` is in ``run(lambda db: ...)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.modules import Module
from awaken.project.source.trees import parameters_of
from awaken.project.values.calls.arguments import arguments_of
from awaken.project.values.domain import Environment, FunctionOf, Unknown, Values
from awaken.project.values.library.promises import is_open
from awaken.project.values.questions import Questions

_CALLABLES = {"collections.abc.Callable", "typing.Callable"}
_DISPLAYS = (ast.List, ast.Set, ast.Tuple)


def expected_of(
    evaluator: Questions,
    module: Module,
    function: ast.Lambda,
    parameter: ast.arg,
    known: Environment,
) -> Values:
    """Return what the annotation of whoever takes a lambda says of its parameter.

    Empty where no visible function takes it, or the annotations differ.
    """
    given: ast.AST = function
    above = module.parent(function)
    while isinstance(above, _DISPLAYS):
        given, above = above, module.parent(above)
    call = module.parent(above) if isinstance(above, ast.keyword) else above
    parameters = [one.arg for one, _ in parameters_of(function.args)]
    if not isinstance(call, ast.Call) or parameter.arg not in parameters:
        return ()
    found: set[Values] = set()
    for one in evaluator.values(module, call.func, known):
        if not isinstance(one, FunctionOf):
            return ()
        for argument in arguments_of(one, module, call, known):
            if argument.value is given and argument.parameter.annotation is not None:
                for types in _called_with(evaluator, one.module, argument.parameter.annotation):
                    if len(types) != len(parameters):
                        return ()
                    declared = types[parameters.index(parameter.arg)]
                    found.add(evaluator.declared(one.module, declared))
    values = found.pop() if len(found) == 1 else ()
    is_told = not any(isinstance(value, Unknown) or is_open(value) for value in values)
    return values if is_told else ()


def _called_with(
    evaluator: Questions, module: Module, annotation: ast.expr
) -> Iterator[list[ast.expr]]:
    """Yield the parameters of each ``Callable[[...], ...]`` in an annotation."""
    for node in ast.walk(annotation):
        match node:
            case ast.Subscript(value=base, slice=ast.Tuple(elts=[ast.List(elts=types), _])):
                if evaluator.names.qualified(module, base) in _CALLABLES:
                    yield types
            case _:
                pass

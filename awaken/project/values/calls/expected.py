"""Arguments of functions that are passed as values, as their receivers declare them.

``def run(work: Callable[[Session], T]) -> T`` says what ``db`` is in ``run(lambda db: ...)``.
A field of a class says the same of the functions that the class is called with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.project.values.calls.bound_arguments import arguments_of
from awaken.project.values.calls.decorator_effects import library_names as library_names_of
from awaken.project.values.domain import ClassOf, Environment, FunctionOf, Unknown, Values
from awaken.project.values.library.promises import is_open
from awaken.project.values.questions import Given, Questions

_CALLABLES = {"collections.abc.Callable", "typing.Callable"}
_DISPLAYS = (ast.List, ast.Set, ast.Tuple)
_CALLING = library_names().in_threads | library_names().calling


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
    types = _types_of(evaluator, module, function, function, parameter, known)
    values = {evaluator.declared_values(argument.module, argument.node) for argument in types}
    return _known_values(values.pop()) if len(values) == 1 else ()


def expected_at(
    evaluator: Questions, module: Module, passed: ast.expr, function: Function, parameter: ast.arg
) -> Given | None:
    """Return the type of a parameter of ``function``, which ``passed`` passes to its receiver.

    None where no annotation of the receiver tells it.
    """
    types = _types_of(evaluator, module, passed, function, parameter, ())
    is_told = len(types) == 1 and bool(
        _known_values(evaluator.declared_values(types[0].module, types[0].node))
    )
    return types[0] if is_told else None


def call_made_of(evaluator: Questions, module: Module, passed: ast.expr) -> ast.Call | None:
    """Return the call that a library makes of what ``passed`` passes to it, if it is known.

    It has the arguments after the function: ``tasks.add_task(send, db)`` calls ``send(db)``.
    """
    call = module.call_taking(passed)
    owners = evaluator.values(module, passed.value) if isinstance(passed, ast.Attribute) else ()
    # A method that is read from its class gets its object as an argument.
    if call is None or passed not in call.args or any(isinstance(x, ClassOf) for x in owners):
        return None
    names = library_names_of(evaluator, module, call.func)
    position = call.args.index(passed)
    if {max((_CALLING.get(name, -1) for name in each), default=-1) for each in names} != {position}:
        return None
    made = ast.Call(passed, call.args[position + 1 :], call.keywords)
    return ast.copy_location(made, call)


def _known_values(values: Values) -> Values:
    is_told = not any(isinstance(value, Unknown) or is_open(value) for value in values)
    return values if is_told else ()


def _types_of(  # noqa: PLR0913
    evaluator: Questions,
    module: Module,
    passed: ast.expr,
    function: Function | ast.Lambda,
    parameter: ast.arg,
    known: Environment,
) -> list[Given]:
    """Return the types that receivers declare for a parameter; none if they are unknown."""
    given: ast.AST = passed
    above = module.parent(passed)
    while isinstance(above, _DISPLAYS):
        given, above = above, module.parent(above)
    call = module.call_taking(given)
    names = [argument.arg for argument, _ in parameters_of(function.args)]
    if call is None or parameter.arg not in names:
        return []
    types: list[Given] = []
    for receiver in evaluator.values(module, call.func, known):
        match receiver:
            case FunctionOf():
                annotations = [
                    Given(receiver.module, argument.parameter.annotation)
                    for argument in arguments_of(receiver, module, call, known)
                    if argument.value is given and argument.parameter.annotation is not None
                ]
            case ClassOf() if isinstance(above, ast.keyword) and above.arg is not None:
                annotations = [*_field(evaluator, receiver.qualified, above.arg)]
            case _:
                return []
        for annotation in annotations:
            for each in _called_with(evaluator, annotation.module, annotation.node):
                if len(each) != len(names):
                    return []
                types.append(Given(annotation.module, each[names.index(parameter.arg)]))
    return types


def _field(evaluator: Questions, qualified: str, name: str) -> Iterator[Given]:
    """Yield the annotation of a field that calls of a class of the program set by its name."""
    line = evaluator.classes.line(qualified)
    field = evaluator.classes.fields(qualified).get(name)
    if field is not None and not any({"__init__", "__new__"} & facts.members for facts in line):
        yield Given(field[0], field[1].annotation)


def _called_with(
    evaluator: Questions, module: Module, annotation: ast.expr
) -> Iterator[list[ast.expr]]:
    """Yield the parameters of each ``Callable[[...], ...]`` in an annotation."""
    for node in ast.walk(annotation):
        match node:
            case ast.Subscript(value=base, slice=ast.Tuple(elts=[ast.List(elts=types), _])):
                if evaluator.names.qualified_name(module, base) in _CALLABLES:
                    yield types

"""The signatures of a stub, and which of them a call fits by its arguments' number and names."""

from __future__ import annotations

import ast
from functools import cache
from typing import NamedTuple

from awaken.project.source.trees import Function
from awaken.project.values.domain import Producer, Values
from awaken.project.values.library_types.declared_types import read

_PROPERTIES = {"property", "cached_property", "hybrid_property", "abstractproperty"}


class Parameter(NamedTuple):
    """One parameter of a signature; ``type`` is empty where none is written."""

    name: str
    type: Values
    annotation: ast.expr | None
    required: bool


class Signature(NamedTuple):
    """One way to call a function; ``returns`` is what the call itself gives.

    ``first`` is the parameter of a method that takes its receiver.
    """

    first: Parameter | None
    positional: tuple[Parameter, ...]
    by_position_only: int
    variadic: Parameter | None
    keywords: tuple[Parameter, ...]
    other_keywords: Parameter | None
    returns: Values


class Filled(NamedTuple):
    """A parameter and an argument for it; ``unpacked`` of an argument like ``*items``."""

    parameter: Parameter
    argument: ast.expr
    unpacked: bool


def is_property(node: ast.AST) -> bool:
    """Whether reading this attribute calls it."""
    return isinstance(node, Function) and bool(_decorators(node) & _PROPERTIES)


@cache
def signature(
    module: str, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool
) -> Signature:
    """Return the signature of a function in the stub of ``module``."""
    arguments = node.args
    everything = [*arguments.posonlyargs, *arguments.args]
    required = len(everything) - len(arguments.defaults)
    positional = [_parameter(module, one, place < required) for place, one in enumerate(everything)]
    bound = is_method and "staticmethod" not in _decorators(node) and bool(positional)
    returns = () if node.returns is None else read(module, node.returns)
    if isinstance(node, ast.AsyncFunctionDef):
        returns = (Producer("coroutine", returns),)
    return Signature(
        positional[0] if bound else None,
        tuple(positional[bound:]),
        # Stubs from before `/` mark such parameters by two underscores.
        max(
            len(arguments.posonlyargs) - bound,
            sum(argument.arg.startswith("__") for argument in everything[bound:]),
        ),
        _parameter(module, arguments.vararg, False) if arguments.vararg else None,
        tuple(
            _parameter(module, argument, default is None)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ),
        _parameter(module, arguments.kwarg, False) if arguments.kwarg else None,
        returns,
    )


def filled_parameters(one: Signature, call: ast.Call) -> list[Filled] | None:
    """Return which argument each parameter is given; None where the call does not fit.

    After ``*items`` no position is certain, so only a variadic parameter takes the unpacked ones.
    """
    parameters: list[Filled] = []
    positions = list(one.positional)
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            if one.variadic is None:
                return None
            parameters.append(Filled(one.variadic, argument.value, True))
            positions = []
        elif positions:
            parameters.append(Filled(positions.pop(0), argument, False))
        elif one.variadic is not None:
            parameters.append(Filled(one.variadic, argument, False))
        else:
            return None
    named = {parameter.name: parameter for parameter in one.positional[one.by_position_only :]}
    named |= {parameter.name: parameter for parameter in one.keywords}
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        parameter = named.get(keyword.arg, one.other_keywords)
        if parameter is None:
            return None
        parameters.append(Filled(parameter, keyword.value, False))
    return parameters if _is_complete(one, call, parameters) else None


def _is_complete(one: Signature, call: ast.Call, found: list[Filled]) -> bool:
    if any(keyword.arg is None for keyword in call.keywords):
        return True
    given = {each.parameter.name for each in found}
    if any(each.unpacked for each in found):
        return all(each.name in given for each in one.keywords if each.required)
    return all(each.name in given for each in (*one.positional, *one.keywords) if each.required)


def refuses_literal(parameter: Parameter, argument: ast.expr) -> bool:
    """Whether a parameter that takes certain literals, or None alone, is given another one."""
    annotation = parameter.annotation
    if not isinstance(argument, ast.Constant):
        return False
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal"):
        wanted = [one.value for one in ast.walk(annotation.slice) if isinstance(one, ast.Constant)]
        return argument.value not in wanted
    return False


def _parameter(module: str, node: ast.arg, required: bool) -> Parameter:
    declared = () if node.annotation is None else read(module, node.annotation)
    return Parameter(node.arg, declared, node.annotation, required)


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}

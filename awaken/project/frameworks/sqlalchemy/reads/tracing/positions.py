"""The parameters of functions that an argument can be given to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.trees import FunctionOrLambda


def named_parameters(function: FunctionOrLambda) -> Iterator[ast.arg]:
    """Yield the parameters that have a name of their own: no ``*args``, no ``**kwargs``."""
    args = function.args
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs)


def is_first(function: FunctionOrLambda, parameter: ast.arg) -> bool:
    """Whether a parameter is the one that a receiver gives to a method."""
    return parameter is next(named_parameters(function), None)

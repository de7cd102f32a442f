"""Which function of the project a call reaches, where it can only be one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.project.modules import Module
from awaken.project.values import FunctionOf, InstanceOf, Unknown

if TYPE_CHECKING:
    from awaken.project.evaluation import Evaluator

_TRANSPARENT = {
    "abc.abstractmethod",
    "builtins.classmethod",
    "builtins.staticmethod",
    "typing.final",
    "typing.override",
    "typing_extensions.final",
    "typing_extensions.override",
}
"""Decorators behind which a call reaches the function as it stands."""


@dataclass(frozen=True, slots=True)
class Called:
    """The function that a call reaches; ``bound`` is 1 if the receiver is its first argument."""

    module: Module
    function: ast.FunctionDef | ast.AsyncFunctionDef
    bound: int


def function_called(evaluator: Evaluator, module: Module, call: ast.Call) -> Called | Unknown:
    """Return the only function that ``call`` can reach; Unknown says why there is none."""
    text = module.excerpt(call.func)
    values = evaluator.values(module, call.func)
    value = values[0] if len(values) == 1 else None
    if not isinstance(value, FunctionOf) or isinstance(value.node, ast.Lambda):
        unknown = next((one for one in values if isinstance(one, Unknown)), None)
        return unknown or evaluator.unknown(module, call, f"`{text}` is no function in sight")
    function, home = value.node, value.module
    decorators = {evaluator.names.qualified(home, one) for one in function.decorator_list}
    if not decorators <= _TRANSPARENT:
        return evaluator.unknown(home, function, f"`{function.name}` has a decorator")
    owner = home.parent(function)
    if isinstance(owner, ast.ClassDef):
        other = _another(evaluator, home, owner, function.name)
        if other is not None:
            return other
    by_class = "builtins.classmethod" in decorators
    is_bound = isinstance(value.bound, InstanceOf) or (value.bound is not None and by_class)
    return Called(home, function, int(is_bound))


def _another(
    evaluator: Evaluator, home: Module, owner: ast.ClassDef, method: str
) -> Unknown | None:
    """Return why a method of ``owner`` may be another one than it seems, if it may be."""
    qualified = f"{home.name}.{home.qualname(owner)}"
    family = evaluator.callers.family(qualified)
    for module, relative in family.definitions():
        scope = module.scopes.scope_made_by(relative)
        bindings = scope.bindings.get(scope.mangled(method), [])
        is_same = module.path == home.path and module.span(relative) == home.span(owner)
        if len(bindings) > is_same:
            why = f"`{relative.name}` has a `{method}` as well"
            return evaluator.unknown(module, bindings[-1].node, why)
    if family.is_too_large:
        return evaluator.unknown(home, owner, f"`{owner.name}` stands in too many files")
    return None

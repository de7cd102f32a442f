"""The lifetime of what a call makes: kept beyond the call of the function around it, or not."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import Conditional, FunctionOrLambda, without_arguments

_CACHES = {"cache", "cached", "cached_property", "lru_cache", "memoize", "singleton"}


def is_kept(module: Module, call: ast.expr) -> bool:
    """Whether the value of ``call`` outlives its function, or is made only where none is kept yet.

    It is if it is stored in a global name, an attribute or an item, or is a default after ``or``.
    It also is if it is made only when it is missing, or in a function that remembers its result.
    """
    function = module.enclosing_function(call)
    if function is None or is_remembered(module, function):
        return True
    for below, above in module.steps_up(call):
        if above is function:
            return False
        if isinstance(above, ast.BoolOp) and below is not above.values[0]:
            return True
        if isinstance(above, ast.Assign | ast.AnnAssign) and _is_stored(module, above, function):
            return True
        if isinstance(above, Conditional) and _tests_absence(above.test):
            return True
    return False


def is_remembered(module: Module, function: FunctionOrLambda) -> bool:
    """Whether a decorator keeps what ``function`` returns."""
    for decorator in getattr(function, "decorator_list", ()):
        plain = without_arguments(decorator)
        if any(part in _CACHES for part in module.text_of(plain).split(".")):
            return True
    return False


def _is_stored(
    module: Module, node: ast.Assign | ast.AnnAssign, function: FunctionOrLambda
) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    own = function.args.args[0].arg if function.args.args else ""
    for target in targets:
        match target:
            case ast.Name():
                scope = module.scopes.scope_of(target)
                if target.id in scope.globals | scope.nonlocals:
                    return True
            case ast.Attribute(value=ast.Name(id=name)) if name == own:
                if getattr(function, "name", "") != "__init__":
                    return True  # else it lives as long as the instance, which others make
            case ast.Attribute() | ast.Subscript():
                return True
    return False


def _tests_absence(test: ast.expr) -> bool:
    for node in ast.walk(test):
        match node:
            case ast.Compare(ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
                return True
            # The call may be in the `else`.
            case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return True
            case ast.UnaryOp(op=ast.Not()) | ast.Compare(ops=[ast.NotIn() | ast.In()]):
                return True
            case ast.Call(func=ast.Name(id="hasattr")):
                return True
    return False

"""The code of decorators of the program: their calls of the function, and their results.

Three questions read it here. Does it forward arguments? Does it keep its function to itself? Does
it await a coroutine function?
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from awaken.knowledge.library_names import library_names
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    first_parameter,
    last_name,
    parameters_of,
)
from awaken.project.source.worklist import preorder

_CASTS = library_names().casts


class DecoratorCode:
    """A function that decorates, or makes decorators: ``wrapped`` is its first parameter.

    - ``reads``: where that is read, in ``node`` and in the functions inside.
    - ``is_plain``: whether it has no other value, and a call gives no coroutine.
    - ``is_optional``: whether it may be missing, as where the arguments come first.
    """

    def __init__(self, names: Names, module: Module, node: Function) -> None:
        self.names = names
        self.module = module
        self.node = node
        self.wrapped = first_parameter(node)
        scope = module.scopes.scope_made_by(node)
        self.reads = module.scopes.reads_in(scope, self.wrapped)
        is_bound_once = len(scope.bindings_of(self.wrapped)) == 1
        self.is_plain = is_bound_once and isinstance(node, ast.FunctionDef)
        self.is_optional = any(default for _, default in parameters_of(node.args)[:1])
        # A decorator that returns no value returns nothing that can be called.
        returns = module.returns_of(node)
        self.returned = self.parts(item.value or ast.Constant(None) for item in returns)

    def calls(self, within: FunctionOrLambda | None = None) -> list[ast.Call]:
        """Return the calls of what is decorated, in any function or ``within`` one itself."""
        calls = [call for read in self.reads if (call := self.module.call_of(read)) is not None]
        around = self.module.enclosing_function
        return [call for call in calls if within is None or around(call) is within]

    def parts(self, nodes: Iterable[ast.expr]) -> list[ast.expr]:
        """Return what expressions may be, without casts; of conditional expressions each part."""
        return [node for node in preorder(nodes, self._inner) if not self._inner(node)]

    def _inner(self, node: ast.expr) -> Sequence[ast.expr]:
        match node:
            case ast.Call(func=func, args=[_, inner]) if self.qualified_name(func) in _CASTS:
                return (inner,)
        return alternatives(node)

    def functions_inside(self, node: ast.AST) -> list[Function]:
        """Return the functions that ``node`` may mean, if all are defined in this one."""
        return local_functions(self.module, node, self.node)

    def decorators_applied(self, node: ast.expr) -> list[Function]:
        """Return the decorators inside that ``node`` applies at once: ``decorator(function)``."""
        match node:
            case ast.Call(func=func, args=[passed], keywords=[]) if passed in self.reads:
                return self.functions_inside(func)
        return []

    def decorators(self, node: ast.expr) -> list[FunctionOrLambda]:
        """Return the decorators that ``node``, as what this maker returns, may be."""
        return decorators_in(self.names, self.module, node, self.node)

    def qualified_name(self, node: ast.expr) -> str:
        """Return the qualified name of ``node``, as one of the builtins if it has no other."""
        return self.names.qualified_name(self.module, node) or f"builtins.{last_name(node)}"


def local_functions(
    module: Module, name: ast.AST, within: Function | None = None
) -> list[Function]:
    """Return the functions that ``name`` may mean, if all are defined in one: in ``within``."""
    nodes = [binding.node for binding in module.scopes.bindings_of(name)]
    functions = [node for node in nodes if isinstance(node, Function)]
    around = {module.enclosing_function(node) for node in functions}
    is_local = around == {within} if within is not None else None not in around
    return functions if is_local and len(functions) == len(nodes) else []


def decorators_in(
    names: Names, module: Module, node: ast.expr, maker: Function | None
) -> list[FunctionOrLambda]:
    """Return the decorators that ``node`` may be, as what ``maker`` returns."""
    match node:
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)]), body=ast.Name(id=same)):
            return [node] if name == same else []
        case ast.Call(func=func, args=[ast.Name(id=name)]) if maker and name == maker.name:
            return [maker] if names.qualified_name(module, func) == "functools.partial" else []
    return [*local_functions(module, node)]

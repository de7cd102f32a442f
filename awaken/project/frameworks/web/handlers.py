"""Startup and shutdown handlers: awaited or called, and with which arguments.

Starlette awaits a handler if it is a function defined by ``async def``, also through a bound method
or ``functools.partial``. It calls any other handler on the same thread and drops its result.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal

from awaken.knowledge.applications import frameworks
from awaken.knowledge.decorators import library_decorators
from awaken.project.frameworks.web.applications import without_router
from awaken.project.names.functions.decorators import METHODS
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of, without_arguments
from awaken.project.values.domain import FunctionOf, InstanceOf, Value, Values

if TYPE_CHECKING:
    from awaken.project.frameworks.web.applications import Applications
    from awaken.project.graph.evaluator import ProgramEvaluator

Manner = Literal["async", "sync"]
_TRANSPARENT = library_decorators().methods["fastapi.FastAPI"]


class Handlers:
    """Looks at what is registered."""

    def __init__(self, evaluator: ProgramEvaluator, applications: Applications) -> None:
        self._evaluator = evaluator
        self._applications = applications

    def manner(self, module: Module, node: ast.expr) -> Manner | None:
        """Return how the framework calls ``node``; None if unknown."""
        name = self._evaluator.names.qualified_name(module, node)
        # The name identifies methods of libraries, before anything is evaluated.
        if name in frameworks().methods:
            return frameworks().methods[name]
        result = {self._of_value(value) for value in self._evaluator.values(module, node)}
        # A bound method of a library's object has no visible function.
        if result == {None} or len(result) != 1:
            return self._of_method(module, node)
        return result.pop()

    def manner_of_definition(self, module: Module, function: Function) -> Manner | None:
        """Return how what ``function`` is after its decorators is called.

        The decorators of routes give back what they are given.
        """
        is_coroutine = isinstance(function, ast.AsyncFunctionDef)
        # Nobody iterates over the generator that a call gives.
        is_async = is_coroutine and not module.is_generator(function)
        manner: Manner | None = "async" if is_async else "sync"
        # The lowest decorator is applied first.
        for decorator in reversed(function.decorator_list):
            manner = self._decorated_manner(module, decorator, manner)
        return manner

    def is_transparent(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator of an application or router gives back the function itself."""
        func = without_arguments(decorator)
        if not isinstance(func, ast.Attribute) or func.attr not in _TRANSPARENT:
            return False
        setting = self._applications.applications_of(module, without_router(func.value))
        return bool(setting.applications)

    def cannot_be_called(self, module: Module, node: ast.expr) -> bool:
        """Whether the function that ``node`` is needs arguments."""
        return any(
            needs_arguments(value.node, bound=value.bound is not None)
            for value in self._evaluator.values(module, node)
            if isinstance(value, FunctionOf)
        )

    def _decorated_manner(
        self, module: Module, decorator: ast.expr, manner: Manner | None
    ) -> Manner | None:
        name = self._evaluator.names.qualified_name(module, without_arguments(decorator))
        if name in METHODS or self.is_transparent(module, decorator):
            return manner
        known = frameworks().decorators.get(name or "")
        if known is not None:
            return manner if known == "same" else known
        return self._manner_through(module, decorator)

    def _manner_through(self, module: Module, decorator: ast.expr) -> Manner | None:
        """Return what a decorator of the project's own makes: what it returns."""
        made: Values = ()
        for value in self._evaluator.values(module, decorator):
            if not isinstance(value, FunctionOf):
                # The result of a library's decorator is known only if it is listed.
                return None
            made = (*made, *self._evaluator.results_of(value))
        result = {self._of_value(alternative) for alternative in made}
        return result.pop() if len(result) == 1 else None

    def _of_value(self, value: Value) -> Manner | None:
        match value:
            case FunctionOf(node=ast.Lambda()):
                return "sync"
            case FunctionOf(module=module, node=ast.FunctionDef() | ast.AsyncFunctionDef() as node):
                return self.manner_of_definition(module, node)
        return None

    def _of_method(self, module: Module, node: ast.expr) -> Manner | None:
        """Return how a method of a library's object is called."""
        if not isinstance(node, ast.Attribute):
            return None
        gets = set()
        for owner in self._evaluator.values(module, node.value):
            name = owner.qualified if isinstance(owner, InstanceOf) else ""
            gets.add(frameworks().methods.get(f"{name}.{node.attr}"))
        return gets.pop() if len(gets) == 1 else None


def needs_arguments(function: Function | ast.Lambda, *, bound: bool = False) -> bool:
    """Whether ``function`` cannot be called without arguments; ``bound``: but for the first."""
    pairs = parameters_of(function.args)[int(bound) :]
    variadic = {function.args.vararg, function.args.kwarg}
    return any(default is None and argument not in variadic for argument, default in pairs)

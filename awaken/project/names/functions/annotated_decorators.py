"""Decorators of the project whose annotations say what comes of a call of the decorated function.

``(Callable[P, R]) -> Callable[P, R]`` returns what the function returns, whatever it does around
it, and ``-> Callable[P, Coroutine[Any, Any, R]]`` a coroutine. As elsewhere, annotations are taken
at their word.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from awaken.project.names.resolution import Names
from awaken.project.source.expressions.alternatives import types_in
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_overload, items_in_brackets, last_name

DeclaredResult = Literal["same", "coroutine"]
_HOMES = ("typing", "typing_extensions", "collections.abc")
_CALLABLES = {f"{home}.Callable" for home in _HOMES}
_COROUTINES = {f"{home}.Coroutine" for home in _HOMES}


class DeclaredDecorators:
    """Answers what decorators declare; each is read once."""

    def __init__(self, names: Names) -> None:
        self._names = names

    @cached_method
    def result_of(self, qualified: str, *, called: bool) -> DeclaredResult | None:
        """Return what a call gives of what the decorator makes; None if it does not say.

        ``same``: what the function itself gives. ``called`` says that the decorator is given
        arguments first: ``@retry(3)``.
        """
        module, bindings = self._names.bindings_at(qualified) or (None, [])
        nodes = [binding.node for binding in bindings if isinstance(binding.node, Function)]
        if module is None or not nodes or len(nodes) != len(bindings):
            return None
        # Where there are overloads, they are what is declared.
        overloads = [node for node in nodes if is_overload(node)]
        saids: set[DeclaredResult | None] = set()
        for overload in overloads or nodes[-1:]:
            pair = self._made_pair(module, overload) if called else _given_and_returned(overload)
            if pair is not None:
                saids.add(self._declared_result(module, *pair))
        return saids.pop() if len(saids) == 1 else None

    def _made_pair(self, module: Module, function: Function) -> tuple[ast.expr, ast.expr] | None:
        """Return what the decorator that ``function`` returns is given, and what it returns."""
        returns = _read_string(module, function.returns)
        if not isinstance(returns, ast.Subscript) or not self._is(module, returns, _CALLABLES):
            return None
        match returns.slice:
            case ast.Tuple(elts=[ast.List(elts=[given]), made]):
                return given, made
        return None

    def _declared_result(
        self, module: Module, given: ast.expr, made: ast.expr
    ) -> DeclaredResult | None:
        before, after = set(self._results(module, given)), set(self._results(module, made))
        if after == {"Coroutine"}:
            return "coroutine"
        return "same" if len(after) == 1 and before == after and None not in after else None

    def _results(self, module: Module, node: ast.expr | None) -> Iterator[str | None]:
        """Yield the types that calls give of what is annotated so: a variable, or a coroutine.

        None is any other type, ``F()`` the result of a call of what ``F`` means.
        """
        for part in types_in(module, node):
            match part:
                case ast.Name() if self._is_variable(module, part):
                    yield f"{part.id}()"
                case ast.Subscript() if self._is(module, part, _CALLABLES):
                    yield self._type(module, items_in_brackets(part)[-1])
                case ast.Subscript():
                    yield self._of_alias(module, part)
                case _:
                    yield None

    def _of_alias(self, module: Module, node: ast.Subscript) -> str | None:
        """Return the result of ``Handler[P, R]`` where ``Handler = Callable[P, R]``."""
        name = self._names.qualified_name(module, node.value)
        home, value = self._names.value_at(name) or (module, None)
        if not isinstance(value, ast.Subscript) or not self._is(home, value, _CALLABLES):
            return None
        *taken, result = items_in_brackets(value)
        variable = self._type(home, result)
        # The variables of an alias come in the order in which they appear first.
        inside = {one.id for part in taken for one in ast.walk(part) if isinstance(one, ast.Name)}
        if variable is None or variable == "Coroutine":
            return variable
        return None if variable in inside else self._type(module, items_in_brackets(node)[-1])

    def _type(self, module: Module, node: ast.expr) -> str | None:
        match _read_string(module, node):
            case ast.Name() as name if self._is_variable(module, name):
                return name.id
            case ast.Subscript() as subscript if self._is(module, subscript, _COROUTINES):
                return "Coroutine"
        return None

    def _is(self, module: Module, node: ast.Subscript, wanted: set[str]) -> bool:
        return self._names.qualified_name(module, node.value) in wanted

    def _is_variable(self, module: Module, node: ast.Name) -> bool:
        bindings = module.scopes.bindings_of(node)
        if len(bindings) != 1:
            return False
        made = bindings[0].value
        is_made = isinstance(made, ast.Call) and last_name(made.func) == "TypeVar"
        return is_made or bindings[0].kind == "type-param"


def _given_and_returned(function: Function) -> tuple[ast.expr, ast.expr] | None:
    positional = [*function.args.posonlyargs, *function.args.args]
    if not positional or positional[0].annotation is None or function.returns is None:
        return None
    return positional[0].annotation, function.returns


def _read_string(module: Module, node: ast.expr | None) -> ast.expr | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return module.parse_string(node)
    return node

"""Effects of a decorator of the project on a function that becomes a coroutine function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.names.functions.forwarding import Forwarding
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.alternatives import branches, is_tested
from awaken.project.source.expressions.uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameters_of

_CASTS = library_names().casts
_COROUTINES = {"asyncio.iscoroutinefunction", "inspect.iscoroutinefunction"}


class Wrapping(Struct, frozen=True):
    """The result of a decorator for a coroutine function.

    Without ``wrapper`` it awaits it, or, if ``is_same``, returns it as it is. Else ``wrapper`` is
    the plain function of ``module`` that it returns, and ``calls`` are those of the decorated
    function in it. ``is_kept`` says that it also puts the function somewhere, as into a registry.
    """

    module: Module
    decorator: Function
    is_same: bool = False
    is_kept: bool = False
    wrapper: ast.FunctionDef | None = None
    calls: tuple[ast.Call, ...] = ()


class Wrappings:
    """Reads decorators; ``forwarding`` finds their definitions."""

    def __init__(self, names: Names, forwarding: Forwarding) -> None:
        self._names = names
        self._forwarding = forwarding

    def of(self, qualified: str, *, called: bool) -> Wrapping | None:
        """Return what a decorator does; None where that cannot be read.

        ``called`` says that it is given arguments first.
        """
        pair = self._forwarding.definition(qualified)
        if pair is None or isinstance(pair[1], ast.AsyncFunctionDef) or pair[1].decorator_list:
            return None
        module, function = pair
        both = self._for_both(module, function)
        if both is not None:
            return self._decorating(module, both)
        if not called:
            return self._decorating(module, function)
        inner = [self._local(module, function, value) for value in _returned(module, function)]
        if len(inner) != 1 or inner[0] is None:
            return None
        return self._decorating(module, inner[0])

    def _for_both(self, module: Module, function: Function) -> Function | None:
        """Return the decorator inside of one that may be given its arguments first, or not.

        ``return decorator(command) if command else decorator``: used without arguments, it gives
        what it decorates to the one that it returns otherwise.
        """
        first = next((node.arg for node, default in parameters_of(function.args) if default), None)
        returned = [part for node in _returned(module, function) for part in branches(node)]
        made: list[Function | None] = []
        kinds: set[type[ast.expr]] = set()
        for value in returned:
            kinds.add(type(value))
            match value:
                case ast.Name():
                    made.append(self._local(module, function, value))
                case ast.Call(func=ast.Name() as called, args=[ast.Name(id=name)], keywords=[]):
                    made.append(self._local(module, function, called) if name == first else None)
                case _:
                    return None
        inner = made[0] if made else None
        is_one = inner is not None and all(node is inner for node in made)
        if not is_one or kinds != {ast.Call, ast.Name} or first is None:
            return None
        return inner if self._is_only_asked(module, function, first) else None

    def _is_only_asked(self, module: Module, function: Function, given: str) -> bool:
        """Whether a function only checks if it is ``given`` one, and passes it on in a call."""
        for node in module.walk(function):
            if not isinstance(node, ast.Name) or node.id != given:
                continue
            if module.enclosing_function(node) is not function:
                continue
            match module.parent(node):
                case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                    pass
                case ast.Call(func=func) as call:
                    is_handed = use_of(module, call).way in {"returned", "same"}
                    if not is_handed and last_name(func) != "callable":
                        return False
                case _ if not is_tested(module, node):
                    return False
        return True

    def _local(self, module: Module, function: Function, value: ast.expr) -> Function | None:
        """Return the function that ``function`` defines and ``value`` names."""
        match value:
            case ast.Call(func=func, args=[_, inner]) if self._name(module, func) in _CASTS:
                return self._local(module, function, inner)
            case ast.Name():
                nodes = [binding.node for binding in module.scopes.bindings_of(value)]
                if len(nodes) != 1 or not isinstance(nodes[0], Function):
                    return None
                return nodes[0] if module.enclosing_function(nodes[0]) is function else None
        return None

    def _decorating(self, module: Module, decorator: Function) -> Wrapping | None:
        positional = [*decorator.args.posonlyargs, *decorator.args.args]
        scope = module.scopes.scope_made_by(decorator)
        if not positional or isinstance(decorator, ast.AsyncFunctionDef):
            return None
        given = positional[0].arg
        if len(scope.bound(given)) != 1 or module.is_generator(decorator):
            return None
        returned = list(_returned(module, decorator))
        is_same = all(isinstance(node, ast.Name) and node.id == given for node in returned)
        if returned and is_same:
            is_kept = not self._is_only_called(module, decorator, given)
            return Wrapping(module, decorator, is_same=True, is_kept=is_kept)
        plain = self._plain(module, decorator, given, returned)
        if plain is None or not returned or not self._is_only_called(module, decorator, given):
            return None
        calls = self._calls(module, decorator, given)
        inner = [call for call in calls if plain and module.enclosing_function(call) is plain[0]]
        return Wrapping(module, decorator, wrapper=plain[0] if plain else None, calls=tuple(inner))

    def _plain(
        self, module: Module, decorator: Function, given: str, returned: list[ast.expr]
    ) -> list[ast.FunctionDef] | None:
        """Return the plain wrapper that a coroutine function gets, if any; None if not visible."""
        functions: list[ast.FunctionDef] = []
        for value in returned:
            if isinstance(value, ast.Name) and value.id == given:
                continue
            wrapper = self._local(module, decorator, value)
            if wrapper is None or module.is_generator(wrapper):
                return None
            if isinstance(wrapper, ast.FunctionDef):
                if not self._is_behind_question(module, decorator, value, given):
                    functions.append(wrapper)
            elif not self._is_asked(module, decorator, value, given) and not self._awaits(
                module, decorator, given
            ):
                return None
        return functions if len(functions) <= 1 else None

    # -------------------------------------------------------------------------------- branches
    def _is_asked(self, module: Module, decorator: Function, node: ast.AST, given: str) -> bool:
        """Whether ``node`` is reached for coroutine functions alone."""
        return self._is_decided(module, decorator, node, given, "body")

    def _awaits(self, module: Module, decorator: Function, given: str) -> bool:
        """Whether a decorator awaits what a coroutine function gives, and asks if it is one.

        ``await function() if is_coroutine else await run_in_thread(function)``, as statements.
        """
        calls = list(self._calls(module, decorator, given))
        asked = [call for call in calls if self._is_asked(module, decorator, call, given)]
        return bool(asked) and all(
            isinstance(module.parent(call), ast.Await)
            if call in asked
            else self._is_otherwise(module, decorator, call, given)
            for call in calls
        )

    def _is_otherwise(self, module: Module, decorator: Function, node: ast.AST, given: str) -> bool:
        """Whether ``node`` is in a branch that only plain functions take."""
        return self._is_decided(module, decorator, node, given, "orelse")

    def _is_decided(
        self,
        module: Module,
        decorator: Function,
        node: ast.AST,
        given: str,
        branch: Literal["body", "orelse"],
    ) -> bool:
        """Whether the nearest ``branch`` around ``node`` is that of a question for coroutines."""
        for child, above in module.steps_up(node):
            if above is decorator:
                return False
            if isinstance(above, ast.If) and child in getattr(above, branch):
                return self._asks(module, above.test, given)
        return False

    def _is_behind_question(
        self, module: Module, decorator: Function, node: ast.AST, given: str
    ) -> bool:
        """Whether ``node`` is not reached for coroutine functions."""
        statement = module.statement_of(node)
        if statement is None:
            return False
        above = module.parent(statement)
        if isinstance(above, ast.If) and statement in above.orelse:
            return self._asks(module, above.test, given)
        if above is not decorator:
            return False
        before = decorator.body[: decorator.body.index(statement)]
        return any(
            isinstance(part, ast.If)
            and isinstance(part.body[-1], ast.Return)
            and self._asks(module, part.test, given)
            for part in before
        )

    def _asks(self, module: Module, test: ast.expr, given: str) -> bool:
        """Whether ``test`` is true of each coroutine function."""
        match test:
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(self._asks(module, node, given) for node in values)
            case ast.Call(func=func, args=[ast.Name(id=name)]):
                return name == given and self._name(module, func) in _COROUTINES
            case ast.Name():
                value = module.scopes.only_value(test)
                return value is not None and self._asks(module, value, given)
        return False

    # ------------------------------------------------------------------------------------ uses
    def _calls(self, module: Module, decorator: Function, given: str) -> Iterator[ast.Call]:
        for node in module.walk(decorator):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name == given:
                    yield node

    def _is_only_called(self, module: Module, decorator: Function, given: str) -> bool:
        """Whether the function is called, looked at or returned by the decorator, and no more."""
        for node in module.walk(decorator):
            if not isinstance(node, ast.Name) or node.id != given:
                continue
            if isinstance(node.ctx, ast.Store | ast.Del):
                return False
            if self._is_otherwise(module, decorator, node, given):
                continue
            match module.parent(node):
                case ast.Call(func=func) as call if (
                    func is node
                    and isinstance(module.parent(call), ast.Await)
                    and self._is_asked(module, decorator, node, given)
                ):
                    continue
                case ast.Call(func=func) if func is node:
                    # Called by the decorator itself, or by a function in a wrapper.
                    around = module.enclosing_function(node)
                    if around is decorator or module.enclosing_function(around) is not decorator:  # type: ignore[arg-type]
                        return False
                case ast.Call() as call if not self._forwarding.is_looked_at(module, call, node):
                    return False
                case ast.Call() | ast.Attribute() | ast.Return() | ast.Compare():
                    continue
                case _:
                    return False
        return True

    def _name(self, module: Module, node: ast.expr) -> str:
        return self._names.qualified(module, node) or f"builtins.{last_name(node)}"


def _returned(module: Module, function: Function) -> Iterator[ast.expr]:
    for node in module.returns_of(function):
        # Without a value it is not a decorator: its result is not callable.
        yield node.value or ast.Constant(None)

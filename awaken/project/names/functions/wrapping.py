"""Effects of a decorator of the project on a function that becomes a coroutine function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.names.functions.forwarding import Forwarding
from awaken.project.names.functions.opaque import local_functions
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.alternatives import branches, is_tested
from awaken.project.source.expressions.uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter, last_name, parameters_of

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
        reader = _Reader(self._names, self._forwarding, *pair)
        inner = reader.for_both() or (reader.only_returned() if called else pair[1])
        if inner is None:
            return None
        return _Reader(self._names, self._forwarding, pair[0], inner).wrapping()


class _Reader:
    """Reads one decorator, or a function that makes one."""

    def __init__(
        self, names: Names, forwarding: Forwarding, module: Module, function: Function
    ) -> None:
        self._names = names
        self._forwarding = forwarding
        self._module = module
        self._function = function
        self._wrapped = first_parameter(function)
        # Without a value it is not a decorator: its result is not callable.
        returns = module.returns_of(function)
        self._returned = [node.value or ast.Constant(None) for node in returns]

    def only_returned(self) -> Function | None:
        """Return the function inside that is the only thing returned."""
        return self._local(self._returned[0]) if len(self._returned) == 1 else None

    def for_both(self) -> Function | None:
        """Return the decorator inside of one that may be given its arguments first, or not.

        ``return decorator(command) if command else decorator``: used without arguments, it gives
        what it decorates to the one that it returns otherwise.
        """
        pairs = parameters_of(self._function.args)
        first = next((node.arg for node, default in pairs if default), None)
        made: list[Function | None] = []
        kinds: set[type[ast.expr]] = set()
        for value in (part for node in self._returned for part in branches(node)):
            kinds.add(type(value))
            match value:
                case ast.Name():
                    made.append(self._local(value))
                case ast.Call(func=ast.Name() as called, args=[ast.Name(id=name)], keywords=[]):
                    made.append(self._local(called) if name == first else None)
                case _:
                    return None
        inner = made[0] if made else None
        is_one = inner is not None and all(node is inner for node in made)
        if not is_one or kinds != {ast.Call, ast.Name} or first is None:
            return None
        return inner if self._is_only_asked(first) else None

    def _is_only_asked(self, wrapped: str) -> bool:
        """Whether a function only checks if it is given ``wrapped``, and passes it on in a call."""
        module = self._module
        for node in module.walk(self._function):
            if not isinstance(node, ast.Name) or node.id != wrapped:
                continue
            if module.enclosing_function(node) is not self._function:
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

    def _local(self, value: ast.expr) -> Function | None:
        """Return the function inside that ``value`` names."""
        match value:
            case ast.Call(func=func, args=[_, inner]) if self._name(func) in _CASTS:
                return self._local(inner)
            case ast.Name():
                functions = local_functions(self._module, value, self._function)
                return functions[0] if len(functions) == 1 else None
        return None

    def wrapping(self) -> Wrapping | None:
        """Return what the decorator does; None where that cannot be read."""
        module, decorator, wrapped = self._module, self._function, self._wrapped
        if not wrapped or isinstance(decorator, ast.AsyncFunctionDef):
            return None
        is_rebound = len(module.scopes.scope_made_by(decorator).bound(wrapped)) != 1
        if is_rebound or module.is_generator(decorator) or not self._returned:
            return None
        if all(isinstance(node, ast.Name) and node.id == wrapped for node in self._returned):
            is_kept = not self._is_only_called()
            return Wrapping(module, decorator, is_same=True, is_kept=is_kept)
        plain = self._plain()
        if plain is None or not self._is_only_called():
            return None
        inner = [call for call in self._calls() if module.enclosing_function(call) in plain]
        return Wrapping(module, decorator, wrapper=next(iter(plain), None), calls=tuple(inner))

    def _plain(self) -> list[ast.FunctionDef] | None:
        """Return the plain wrapper that a coroutine function gets, if any; None if not visible."""
        functions: list[ast.FunctionDef] = []
        for value in self._returned:
            if isinstance(value, ast.Name) and value.id == self._wrapped:
                continue
            wrapper = self._local(value)
            if wrapper is None or self._module.is_generator(wrapper):
                return None
            if isinstance(wrapper, ast.FunctionDef):
                if not self._is_behind_question(value):
                    functions.append(wrapper)
            elif not self._is_decided(value, "body") and not self._awaits():
                return None
        return functions if len(functions) <= 1 else None

    # -------------------------------------------------------------------------------- branches
    def _awaits(self) -> bool:
        """Whether a decorator awaits what a coroutine function gives, and asks if it is one.

        ``await function() if is_coroutine else await run_in_thread(function)``, as statements.
        """
        calls = list(self._calls())
        of_coroutines = [call for call in calls if self._is_decided(call, "body")]
        return bool(of_coroutines) and all(
            isinstance(self._module.parent(call), ast.Await)
            if call in of_coroutines
            else self._is_decided(call, "orelse")
            for call in calls
        )

    def _is_decided(self, node: ast.AST, branch: Literal["body", "orelse"]) -> bool:
        """Whether the nearest ``branch`` around ``node`` is that of a question for coroutines.

        Coroutine functions alone take its body, plain functions alone the other branch.
        """
        for child, above in self._module.steps_up(node):
            if above is self._function:
                return False
            if isinstance(above, ast.If) and child in getattr(above, branch):
                return self._asks(above.test)
        return False

    def _is_behind_question(self, node: ast.AST) -> bool:
        """Whether ``node`` is not reached for coroutine functions."""
        statement = self._module.statement_of(node)
        if statement is None:
            return False
        above = self._module.parent(statement)
        if isinstance(above, ast.If) and statement in above.orelse:
            return self._asks(above.test)
        if above is not self._function:
            return False
        before = self._function.body[: self._function.body.index(statement)]
        return any(
            isinstance(part, ast.If)
            and isinstance(part.body[-1], ast.Return)
            and self._asks(part.test)
            for part in before
        )

    def _asks(self, test: ast.expr) -> bool:
        """Whether ``test`` is true of each coroutine function."""
        match test:
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(map(self._asks, values))
            case ast.Call(func=func, args=[ast.Name(id=name)]):
                return name == self._wrapped and self._name(func) in _COROUTINES
            case ast.Name():
                value = self._module.scopes.only_value(test)
                return value is not None and self._asks(value)
        return False

    # ------------------------------------------------------------------------------------ uses
    def _calls(self) -> Iterator[ast.Call]:
        for node in self._module.walk(self._function):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name == self._wrapped:
                    yield node

    def _is_only_called(self) -> bool:
        """Whether the function is called, looked at or returned by the decorator, and no more."""
        module, decorator = self._module, self._function
        for node in module.walk(decorator):
            if not isinstance(node, ast.Name) or node.id != self._wrapped:
                continue
            if isinstance(node.ctx, ast.Store | ast.Del):
                return False
            if self._is_decided(node, "orelse"):
                continue
            match module.parent(node):
                case ast.Call(func=func) as call if (
                    func is node
                    and isinstance(module.parent(call), ast.Await)
                    and self._is_decided(node, "body")
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

    def _name(self, node: ast.expr) -> str:
        return self._names.qualified(self._module, node) or f"builtins.{last_name(node)}"

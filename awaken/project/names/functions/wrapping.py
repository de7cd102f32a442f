"""Effects of a decorator of the project on a function that becomes a coroutine function."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.project.names.functions.decorator_code import DecoratorCode
from awaken.project.names.functions.forwarding import Forwarding
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.alternatives import conditions_passed, is_tested
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

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

    def wrapping_of(self, qualified: str, *, called: bool) -> Wrapping | None:
        """Return what a decorator does; None where that cannot be read.

        ``called`` says that it is given arguments first.
        """
        pair = self._forwarding.definition(qualified)
        if pair is None or isinstance(pair[1], ast.AsyncFunctionDef) or pair[1].decorator_list:
            return None
        code = _decorating(DecoratorCode(self._names, *pair), self._forwarding, called=called)
        return None if code is None else _Reader(code, self._forwarding).wrapping()


def _decorating(
    code: DecoratorCode, forwarding: Forwarding, *, called: bool
) -> DecoratorCode | None:
    """Return the function that decorates: this one, or the only one inside that it returns.

    ``return decorator(command) if command else decorator`` may be given its arguments first.
    Without them, it gives what it decorates to the function that it returns otherwise.
    """
    applied = [code.decorators_applied(node) for node in code.returned]
    made = [
        first or code.functions_inside(node)
        for first, node in zip(applied, code.returned, strict=True)
    ]
    is_inside = bool(made) and len(made[0]) == 1 and all(nodes == made[0] for nodes in made)
    is_for_both = is_inside and any(applied) and not all(applied)
    if is_for_both and _Reader(code, forwarding).is_only_called():
        return DecoratorCode(code.names, code.module, made[0][0])
    if not called:
        return code
    is_made = is_inside and len(made) == 1 and not any(applied)
    return DecoratorCode(code.names, code.module, made[0][0]) if is_made else None


class _Reader:
    """Reads one decorator."""

    def __init__(self, code: DecoratorCode, forwarding: Forwarding) -> None:
        self._code = code
        self._module = code.module
        self._function = code.node
        self._forwarding = forwarding

    def wrapping(self) -> Wrapping | None:
        """Return what the decorator does; None where that cannot be read."""
        module, decorator, code = self._module, self._code.node, self._code
        if not code.is_plain or module.is_generator(decorator) or not code.returned:
            return None
        if all(node in code.reads for node in code.returned):
            is_kept = not self.is_only_called()
            return Wrapping(module, decorator, is_same=True, is_kept=is_kept)
        plain = self._plain()
        if plain is None or not self.is_only_called():
            return None
        inner = [call for function in plain for call in code.calls(function)]
        return Wrapping(module, decorator, wrapper=next(iter(plain), None), calls=tuple(inner))

    def _plain(self) -> list[ast.FunctionDef] | None:
        """Return the plain wrapper that a coroutine function gets, if any; None if not visible."""
        functions: list[ast.FunctionDef] = []
        for value in self._code.returned:
            if value in self._code.reads:
                continue
            wrappers = self._code.functions_inside(value)
            if len(wrappers) != 1 or self._module.is_generator(wrappers[0]):
                return None
            if isinstance(wrappers[0], ast.FunctionDef):
                if not self._is_behind_question(value):
                    functions.append(wrappers[0])
            elif not self._is_decided(value, waits=True) and not self._awaits():
                return None
        return functions if len(functions) <= 1 else None

    # -------------------------------------------------------------------------------- branches
    def _awaits(self) -> bool:
        """Whether a decorator awaits what a coroutine function gives, and asks if it is one.

        ``await function() if is_coroutine else await run_in_thread(function)``, as statements.
        """
        calls = self._code.calls()
        of_coroutines = [call for call in calls if self._is_decided(call, waits=True)]
        return bool(of_coroutines) and all(
            isinstance(self._module.parent(call), ast.Await)
            if call in of_coroutines
            else self._is_decided(call, waits=False)
            for call in calls
        )

    def _is_decided(self, node: ast.AST, *, waits: bool) -> bool:
        """Whether coroutine functions alone, or plain functions alone, reach ``node``.

        A question for coroutine functions is around it, and has that answer.
        """
        for child, above in self._module.steps_up(node):
            if above is self._function:
                return False
            for condition, is_true in conditions_passed(above, child):
                if is_true is waits and self._asks(condition):
                    return True
        return False

    def _is_behind_question(self, node: ast.AST) -> bool:
        """Whether ``node`` is not reached for coroutine functions."""
        statement = self._module.statement_of(node)
        if statement not in self._function.body:
            return self._is_decided(node, waits=False)
        before = self._function.body[: self._function.body.index(statement)]
        return self._is_decided(node, waits=False) or any(
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
                return name == self._code.wrapped and self._code.qualified_name(func) in _COROUTINES
            case ast.Name():
                value = self._module.scopes.only_value(test)
                return value is not None and self._asks(value)
        return False

    # ------------------------------------------------------------------------------------ uses
    def is_only_called(self) -> bool:
        """Whether the function is called, looked at or returned by the decorator, and no more.

        A decorator inside of this one, which it returns otherwise, may get it as well.
        """
        module, decorator = self._module, self._function
        for node in self._code.reads:
            if self._is_decided(node, waits=False):
                continue
            match module.parent(node):
                case ast.Call(func=func) as call if (
                    func is node
                    and isinstance(module.parent(call), ast.Await)
                    and self._is_decided(node, waits=True)
                ):
                    continue
                case ast.Call(func=func) if func is node:
                    # Called by the decorator itself, or by a function in a wrapper.
                    around = module.enclosing_function(node)
                    if around is decorator or module.enclosing_function(around) is not decorator:  # type: ignore[arg-type]
                        return False
                case ast.Call() as call if call not in self._code.returned:
                    if not self._forwarding.is_looked_at(module, call, node):
                        return False
                case ast.Call() | ast.Attribute() | ast.Return() | ast.Compare():
                    continue
                case _ if node not in self._code.returned and not is_tested(module, node):
                    return False
        return True

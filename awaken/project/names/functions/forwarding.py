"""Decorators of the project that hand their function through, read from their code."""

from __future__ import annotations

import ast
from operator import or_
from typing import NamedTuple

from awaken.contract import Place
from awaken.knowledge.decorators import (
    EVERYTHING,
    FORWARDING,
    NO_EFFECTS,
    SAME,
    DecoratorEffects,
    common_effects,
)
from awaken.knowledge.library_names import library_names
from awaken.project.names.functions.decorator_code import DecoratorCode
from awaken.project.names.functions.opaque import Opaque, OpaqueUse
from awaken.project.names.resolution import Names
from awaken.project.names.usages import CALLING
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    always_returns,
    is_overload,
    parameters_of,
    positional_parameters,
    variable_of,
    variadic,
    without_arguments,
)

_SAME: DecoratorEffects = SAME | {"both"}
_LAZY: DecoratorEffects = frozenset({"coroutines"})
_CHANGING = library_names().changing_methods


class Reading(NamedTuple):
    """The effects of a decorator, by its code.

    It makes what other decorators make, too: those that are ``applied``, by their places.
    """

    effects: DecoratorEffects
    applied: tuple[Place, ...] = ()


class Forwarding:
    """Answers whether decorators hand their function through; each is read once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._opaque = Opaque(names, self.definition)
        self._keeping = Opaque(names, self.definition, may_read=True)

    @cached_method
    def reading_of(self, qualified: str, *, called: bool) -> Reading:
        """Return what the code of the decorator with this qualified name says of its result.

        ``called`` says that it is given arguments first: ``@retry(3)``. Nothing where its code
        cannot be read, and for names that are not one function of a module of the program.
        """
        pair = self.definition(qualified)
        if pair is None:
            return Reading(NO_EFFECTS)
        applied: list[ast.expr] = []
        reader = _Reader(DecoratorCode(self._names, *pair), applied)
        effects = reader.of_maker() if called else reader.of_decorator()
        return Reading(effects, tuple(map(pair[0].place, applied)) if effects else ())

    @cached_method
    def opaque(self, qualified: str, passed: frozenset[str] | None) -> OpaqueUse | None:
        """Return what a decorator does that reads nothing of its function's signature.

        ``passed`` are its arguments, if it is called first. None where it may read the signature,
        or its code cannot be read.
        """
        return self._use(self._opaque, qualified, passed)

    @cached_method
    def hands_on(self, qualified: str, passed: frozenset[str] | None) -> bool:
        """Whether a decorator may hand its function to somebody who calls it: a registry.

        ``passed`` are its arguments, if it is called first.
        """
        return self._use(self._keeping, qualified, passed) is None

    def _use(
        self, opaque: Opaque, qualified: str, passed: frozenset[str] | None
    ) -> OpaqueUse | None:
        pair = self.definition(qualified)
        if pair is None:
            return None
        return opaque.decorates(*pair) if passed is None else opaque.makes(*pair, passed)

    def is_looked_at(self, module: Module, call: ast.Call, given: ast.Name) -> bool:
        """Whether what ``call`` calls only looks at the function ``given``, its argument."""
        return self._keeping.is_looked_at(module, call, given)

    def definition(self, qualified: str) -> tuple[Module, Function] | None:
        """Return the only function of this name that a module of the project defines."""
        module, bindings = self._names.bindings_at(qualified) or (None, [])
        # Overloads of a function precede it.
        nodes = [binding.node for binding in bindings if isinstance(binding.node, Function)]
        if (
            module is None
            or not nodes
            or len(nodes) != len(bindings)
            or not all(map(is_overload, nodes[:-1]))
        ):
            return None
        return module, nodes[-1]


class _Reader:
    """Reads one decorator; ``applied`` are those of which it returns the results."""

    def __init__(self, code: DecoratorCode, applied: list[ast.expr]) -> None:
        self._code = code
        self._module = code.module
        self._applied = applied

    def of_maker(self) -> DecoratorEffects:
        """Return what is true of all decorators that the function returns.

        ``def mark(f=None, *, name=""): if f is None: return partial(mark, name=name)`` is called
        with arguments of its own, and then with the function.
        """
        code = self._code
        if isinstance(code.node, ast.AsyncFunctionDef) or code.node.decorator_list:
            return NO_EFFECTS
        made = (node for node in code.returned if not self._is_of_decorating(node))
        return common_effects(self._of_made(node) or self._of_other_made(node) for node in made)

    def _is_of_decorating(self, value: ast.expr) -> bool:
        """Whether ``value`` is returned where the maker is given the function at once."""
        # Either it decorates the function, or a call of its own decorator does: `return deco(f)`.
        match value:
            case ast.Call(args=[passed], keywords=[]):
                value = passed
        return self._code.is_optional and value in self._code.reads

    def _of_made(self, value: ast.expr, *, known: bool = False) -> DecoratorEffects:
        """Return what is true of ``value`` as a decorator; of the maker, if ``known``, all."""
        return common_effects(
            _SAME
            if isinstance(node, ast.Lambda) or (known and node is self._code.node)
            else self._of_other(node)
            for node in self._code.decorators(value)
        )

    def _of_other_made(self, value: ast.expr) -> DecoratorEffects:
        """Return what is true of a decorator that is made by others: ``retry(3)``."""
        match value:
            case ast.Lambda(
                args=ast.arguments(args=[ast.arg(arg=name)]),
                body=ast.Call(func=other, args=[ast.Name(id=same)], keywords=[]),
            ) if name == same:
                self._applied.append(other)
            case ast.Call():
                self._applied.append(value)
            case _:
                return NO_EFFECTS
        return EVERYTHING

    def _of_other(self, node: Function) -> DecoratorEffects:
        code = DecoratorCode(self._code.names, self._module, node)
        return _Reader(code, self._applied).of_decorator()

    def of_decorator(self) -> DecoratorEffects:
        """Return what is true of all that the function returns where it is given a function."""
        code = self._code
        if not code.is_plain:
            return NO_EFFECTS
        # Where it is given none, it returns a decorator: that is asked by ``of_maker``.
        is_optional = code.is_optional
        made = [self._of_made(x, known=True) if is_optional else NO_EFFECTS for x in code.returned]
        result = common_effects(map(or_, made, map(self._of_result, code.returned)))
        result -= common_effects(made)
        return result if all(map(self._is_left, code.reads)) else result - {"both"}

    def _is_left(self, read: ast.Name) -> bool:
        """Whether the decorator only looks at the function here, or returns it."""
        way, above = use_of(self._module, read)
        is_returned = read in self._code.returned or above in self._code.returned
        is_looked_at = way == "attribute" and above.attr not in CALLING
        return is_returned or is_looked_at or way in {"compared", "tested"}

    def _of_result(self, value: ast.expr) -> DecoratorEffects:
        if value in self._code.reads:
            return _SAME
        if wrappers := self._code.functions_inside(value):
            return common_effects(map(self._of_wrapper, wrappers))
        # `return decorator(f)` with a decorator of its own.
        if inside := self._code.decorators_applied(value):
            return common_effects(map(self._of_other, inside))
        match value:
            case ast.Call(func=other, args=[passed], keywords=[]) if passed in self._code.reads:
                self._applied.append(other)
                return EVERYTHING
        return NO_EFFECTS

    def _of_wrapper(self, wrapper: Function) -> DecoratorEffects:
        plain = map(without_arguments, wrapper.decorator_list)
        if any(self._code.qualified_name(node) != "functools.wraps" for node in plain):
            return NO_EFFECTS
        calls = self._code.calls(wrapper)
        if calls and self._forwards(wrapper, calls):
            result = FORWARDING
        else:
            result = FORWARDING & {"calls"} if calls else NO_EFFECTS
        return result | _LAZY if self._gives_a_coroutine(wrapper, calls) else result

    def _forwards(self, wrapper: Function, calls: list[ast.Call]) -> bool:
        """Whether ``wrapper`` calls the function with all it is given, and returns the result."""
        if not all(_passes_all(call, wrapper) for call in calls):
            return False
        if self._module.is_generator(wrapper) or self._changes_arguments(wrapper):
            return False
        # A coroutine that is not awaited inside is wrapped in another one.
        is_async = isinstance(wrapper, ast.AsyncFunctionDef)
        if any(isinstance(self._module.parent(call), ast.Await) != is_async for call in calls):
            return False
        returned = self._code.parts(self._module.returned_by(wrapper))
        return bool(returned) and all(self._is_result(value, calls) for value in returned)

    def _changes_arguments(self, wrapper: Function) -> bool:
        """Whether ``wrapper`` changes its ``*args`` or ``**kwargs`` itself."""
        scope = self._module.scopes.scope_made_by(wrapper)
        stars = [part.arg for part in variadic(wrapper.args)]
        uses = [
            use_of(self._module, read)
            for name in stars
            for read in self._module.scopes.reads_in(scope, name)
        ]
        return any(len(scope.bindings_of(name)) != 1 for name in stars) or any(
            (way == "item" and not isinstance(above.ctx, ast.Load))
            or (way == "attribute" and above.attr in _CHANGING)
            for way, above in uses
        )

    def _gives_a_coroutine(self, wrapper: Function, calls: list[ast.Call]) -> bool:
        """Whether ``wrapper`` is a coroutine function, or returns what one of ``calls`` gives.

        Of a plain function every way must end so.
        """
        if self._module.is_generator(wrapper):
            return False
        if isinstance(wrapper, ast.AsyncFunctionDef):
            return True
        last = wrapper.body[-1]
        # Calling a coroutine function raises nothing that the block could swallow.
        is_in_block = isinstance(last, ast.With) and isinstance(last.body[0], ast.Return)
        is_returning = is_in_block or always_returns(wrapper.body)
        return is_returning and all(node in calls for node in self._module.returned_by(wrapper))

    def _is_result(self, value: ast.expr, calls: list[ast.Call]) -> bool:
        """Whether ``value`` is what one of ``calls`` gives, or a variable that has nothing else."""
        bindings = self._module.scopes.bindings_of(value)
        values = [item.value for item in bindings] if bindings else [value]
        # A variable that gets a part of the result has another binding than a plain one.
        is_whole = all(
            variable_of(self._module.parent(item.node)) == item.node for item in bindings
        )
        return is_whole and all(
            (node.value if isinstance(node, ast.Await) else node) in calls for node in values
        )


def _passes_all(call: ast.Call, wrapper: Function) -> bool:
    """Whether ``call`` passes each parameter of ``wrapper`` on as it came, in the same place."""
    args = wrapper.args
    if args.kwonlyargs or any(default is not None for _, default in parameters_of(args)):
        return False
    wanted = [argument.arg for argument in positional_parameters(wrapper)]
    wanted += [f"*{args.vararg.arg}"] if args.vararg else []
    wanted += [f"**{args.kwarg.arg}"] if args.kwarg else []
    return [ast.unparse(part) for part in (*call.args, *call.keywords)] == wanted

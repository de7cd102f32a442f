"""Decorators of the project that hand their function through, read from their code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from awaken.knowledge.library_names import library_names
from awaken.project.names.functions.opaque import Opaque, OpaqueUse, local_functions
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.uses import use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    always_returns,
    first_parameter,
    is_overload,
    last_name,
    parameters_of,
    positional_parameters,
    variable_of,
    variadic,
)

Handing = Literal["same", "forwards", "calls"]
"""A decorator's use of its function.

``same``: it returns the function itself; ``forwards``: a wrapper that passes on all the arguments
that it is given, and returns what the function returns; ``calls``: a wrapper that calls it with
others, or returns something else.
"""
_Asked = Handing | Literal["coroutines"]
_KINDS: tuple[Handing, ...] = ("same", "forwards", "calls")
_PARTIAL = {"functools.partial"}
_CASTS = library_names().casts
_CHANGING = library_names().changing_methods


class Forwarding:
    """Answers whether decorators hand their function through; each is read once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._opaque = Opaque(names, self.definition)
        self._keeping = Opaque(names, self.definition, may_read=True)

    @cached_method
    def of(self, qualified: str, *, called: bool) -> Handing | None:
        """Return what the decorator with this qualified name does with its function.

        ``called`` says that it is given arguments first: ``@retry(3)``. None where its code cannot
        be read, and for names that are not one function of a module of the program.
        """
        return next((kind for kind in _KINDS if self._does(qualified, kind, called=called)), None)

    @cached_method
    def keeps_coroutines(self, qualified: str, *, called: bool) -> bool:
        """Whether calls give a coroutine of what the decorator makes of a coroutine function.

        It may be another coroutine, of a wrapper that is a coroutine function itself.
        """
        return self._does(qualified, "coroutines", called=called)

    def _does(self, qualified: str, kind: _Asked, *, called: bool) -> bool:
        pair = self.definition(qualified)
        if pair is None:
            return False
        reader = _Reader(self._names, pair[0], kind)
        return reader.makes(pair[1]) if called else reader.decorates(pair[1])

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
    """Reads the decorators of one module; ``kind`` is what they must do at least."""

    def __init__(self, names: Names, module: Module, kind: _Asked) -> None:
        self._names = names
        self._module = module
        self._kind = kind

    def makes(self, function: Function) -> bool:
        """Whether all that ``function`` returns are decorators that hand through.

        ``def mark(f=None, *, name=""): if f is None: return partial(mark, name=name)`` is called
        with arguments of its own, and then with the function.
        """
        if isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
            return False
        returned = self._module.returned_by(function)
        wrapped = first_parameter(function)
        made = [node for node in returned if not self._is_of_decorating(function, node, wrapped)]
        return bool(made) and all(self._is_decorator(function, node) for node in made)

    def _is_of_decorating(self, maker: Function, value: ast.expr, wrapped: str) -> bool:
        """Whether ``value`` is returned where the maker is given the function at once."""
        defaults = [default for _, default in parameters_of(maker.args)]
        if not wrapped or not defaults or defaults[0] is None:
            return False
        # Either it decorates the function, or a call of its own decorator does: `return deco(f)`.
        match value:
            case ast.Name(id=name) | ast.Call(args=[ast.Name(id=name)], keywords=[]):
                return name == wrapped
        return False

    def _is_decorator(self, maker: Function, value: ast.expr, *, known: bool = False) -> bool:
        """Whether ``value`` is a decorator, as what ``maker`` returns, which may be ``known``."""
        match value:
            case ast.Name():
                return self._all_local(maker, value, self.decorates)
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)]), body=ast.Name(id=same)):
                return name == same
            case ast.Call(func=func, args=[ast.Name(id=name)]) if name == maker.name:
                is_partial = self._names.qualified(self._module, func) in _PARTIAL
                return is_partial and (known or self.decorates(maker))
        return False

    def decorates(self, function: Function) -> bool:
        """Whether ``function``, given a function, returns it or a wrapper that forwards to it."""
        wrapped = first_parameter(function)
        if not wrapped or isinstance(function, ast.AsyncFunctionDef) or self._is_rebound(function):
            return False
        returned = self._module.returned_by(function)
        # Where it is given none, it returns a decorator: that is asked by ``makes``.
        defaults = [default for _, default in parameters_of(function.args)]
        if defaults[0] is not None:
            returned = [x for x in returned if not self._is_decorator(function, x, known=True)]
        return bool(returned) and all(self._hands(function, node, wrapped) for node in returned)

    def _hands(self, function: Function, value: ast.expr, wrapped: str) -> bool:
        match value:
            case ast.Name(id=name) if name == wrapped:
                return True
            case ast.Name():
                return self._kind != "same" and self._all_local(
                    function, value, lambda wrapper: self._forwards(wrapper, wrapped)
                )
            case ast.Call(func=func, args=[_, inner]):
                is_cast = self._names.qualified(self._module, func) in _CASTS
                return is_cast and self._hands(function, inner, wrapped)
            # `return decorator(f)` with a decorator of its own.
            case ast.Call(func=ast.Name() as func, args=[ast.Name(id=name)], keywords=[]):
                return name == wrapped and self._all_local(function, func, self.decorates)
        return False

    def _forwards(self, wrapper: Function, wrapped: str) -> bool:
        """Whether ``wrapper`` calls ``wrapped`` with all it is given, and returns the result."""
        if not all(self._is_wraps(decorator) for decorator in wrapper.decorator_list):
            return False
        if wrapped in self._module.scopes.scope_made_by(wrapper).bindings:
            return False
        if self._kind == "coroutines":
            return self._gives_a_coroutine(wrapper, wrapped)
        calls = [
            node
            for node in self._module.walk(wrapper)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == wrapped
            and self._module.enclosing_function(node) is wrapper
        ]
        if self._kind == "calls":
            return bool(calls)
        if not calls or not all(_passes_all(call, wrapper) for call in calls):
            return False
        if self._module.is_generator(wrapper) or self._changes_arguments(wrapper):
            return False
        # A coroutine that is not awaited inside is wrapped in another one.
        is_async = isinstance(wrapper, ast.AsyncFunctionDef)
        if any(isinstance(self._module.parent(call), ast.Await) != is_async for call in calls):
            return False
        results = {self._result(call) for call in calls} - {None}
        returned = self._module.returned_by(wrapper)
        return bool(returned) and all(self._is_result(value, calls, results) for value in returned)

    def _changes_arguments(self, wrapper: Function) -> bool:
        """Whether ``wrapper`` changes its ``*args`` or ``**kwargs`` itself."""
        scope = self._module.scopes.scope_made_by(wrapper)
        stars = [part.arg for part in variadic(wrapper.args)]
        uses = [
            use_of(self._module, read)
            for name in stars
            for read in self._module.scopes.reads_in(scope, name)
        ]
        return any(len(scope.bound(name)) != 1 for name in stars) or any(
            (way == "item" and not isinstance(above.ctx, ast.Load))
            or (way == "attribute" and above.attr in _CHANGING)
            for way, above in uses
        )

    def _gives_a_coroutine(self, wrapper: Function, wrapped: str) -> bool:
        """Whether ``wrapper`` is a coroutine function, or returns what a call of ``wrapped`` gives.

        Of a plain function every way must end so.
        """
        if self._module.is_generator(wrapper):
            return False
        if isinstance(wrapper, ast.AsyncFunctionDef):
            return True
        last = wrapper.body[-1]
        # Calling a coroutine function raises nothing that the block could swallow.
        is_in_block = isinstance(last, ast.With) and isinstance(last.body[0], ast.Return)
        return (is_in_block or always_returns(wrapper.body)) and all(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == wrapped
            for node in self._module.returned_by(wrapper)
        )

    def _is_wraps(self, decorator: ast.expr) -> bool:
        plain = decorator.func if isinstance(decorator, ast.Call) else decorator
        return self._names.qualified(self._module, plain) == "functools.wraps"

    def _result(self, call: ast.Call) -> str | None:
        """Return the variable that alone is given what ``call`` returns, awaited or not."""
        above = self._module.parent(call)
        if isinstance(above, ast.Await):
            above = self._module.parent(above)
        return last_name(variable_of(above)) or None

    def _is_result(self, value: ast.expr, calls: list[ast.Call], results: set[str | None]) -> bool:
        match value:
            case ast.Await(value=inner):
                return any(inner is call for call in calls)
            case ast.Call():
                if any(value is call for call in calls):
                    return True
                is_cast = self._names.qualified(self._module, value.func) in _CASTS
                return is_cast and self._is_result(value.args[-1], calls, results)
            case ast.Name(id=name) if name in results:
                bindings = self._module.scopes.bindings_of(value)
                return all(
                    item.value is not None and self._gives(item.value, calls) for item in bindings
                )
        return False

    def _gives(self, value: ast.expr, calls: list[ast.Call]) -> bool:
        inner = value.value if isinstance(value, ast.Await) else value
        return any(inner is call for call in calls)

    def _all_local(
        self, function: Function, name: ast.Name, suits: Callable[[Function], bool]
    ) -> bool:
        """Whether ``name`` means functions that ``function`` defines, and all of them suit."""
        nodes = local_functions(self._module, name, function)
        return bool(nodes) and all(map(suits, nodes))

    def _is_rebound(self, function: Function) -> bool:
        scope = self._module.scopes.scope_made_by(function)
        return len(scope.bound(first_parameter(function))) != 1


def _passes_all(call: ast.Call, wrapper: Function) -> bool:
    """Whether ``call`` passes each parameter of ``wrapper`` on as it came, in the same place."""
    args = wrapper.args
    if args.kwonlyargs or any(default is not None for _, default in parameters_of(args)):
        return False
    passed = [node.value if isinstance(node, ast.Starred) else node for node in call.args]
    named = [keyword.value for keyword in call.keywords if keyword.arg is None]
    if len(named) != len(call.keywords):
        return False
    wanted = [argument.arg for argument in positional_parameters(wrapper)]
    wanted += [args.vararg.arg] if args.vararg else []
    names = [node.id if isinstance(node, ast.Name) else "" for node in passed]
    starred = sum(isinstance(argument, ast.Starred) for argument in call.args)
    keywords = [node.id if isinstance(node, ast.Name) else "" for node in named]
    return (
        names == wanted
        and starred == bool(args.vararg)
        and keywords == ([args.kwarg.arg] if args.kwarg else [])
    )

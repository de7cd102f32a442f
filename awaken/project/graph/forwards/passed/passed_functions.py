"""The uses of a function that is an argument of a call.

Helpers of a program that run a function in a thread, and give what it returns.

``async def in_thread(f, *args): return await asyncio.to_thread(f, *args)``
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.decorators import library_decorators
from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import Call
from awaken.project.graph.forwards.in_place import called_in_place
from awaken.project.graph.forwards.passed.slots import (
    ADDING,
    CALLING,
    DEFAULT,
    JOINING,
    KEYS,
    KEYS_OF,
    SAME,
    TABLES_OF,
    End,
    Found,
    Slot,
    Slots,
    Spot,
    iterated_depth,
    without_position,
)
from awaken.project.graph.passing import collected_arguments
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.names.functions.injections import OVERRIDES, arguments_for_overrides
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, has_decorator, parameter_getting
from awaken.project.values.calls.decorator_effects import library_names as library_names_of
from awaken.project.values.calls.decorator_effects import registered_function
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    Session,
)

_THREADS = library_names().in_threads.keys()
_LOOPS = library_names().loop_getters


def runs_in_thread(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> bool:
    """Whether ``call`` calls its first argument with the others in a thread, and no more."""
    if not isinstance(module.parent(call), ast.Await):
        return False
    values = evaluator.values(module, call.func)
    return bool(values) and all(
        isinstance(value, FunctionOf) and _is_helper(evaluator.names, value.module, value.node)
        for value in values
    )


def _is_helper(names: Names, module: Module, function: ast.AST) -> bool:
    match function:
        case ast.AsyncFunctionDef(
            args=ast.arguments(
                posonlyargs=[], args=[ast.arg(arg=called)], vararg=ast.arg(arg=rest), kwonlyargs=[]
            ),
            decorator_list=[],
        ):
            keywords = function.args.kwarg
            passed = _Passed(called, rest, "" if keywords is None else keywords.arg)
            return _gives(names, module, function, passed)
    return False


class _Passed:
    """The parameters of a helper: what it calls, and with what."""

    def __init__(self, called: str, rest: str, keywords: str) -> None:
        self._called = called
        self._rest = rest
        self._keywords = keywords

    def are_all(self, arguments: list[ast.expr], keywords: list[ast.keyword]) -> bool:
        """Whether a call passes the function, and all the others after it."""
        match arguments:
            case [ast.Name(id=called), *others] if called == self._called:
                return self.are_others(others, keywords)
        return False

    def are_others(self, arguments: list[ast.expr], keywords: list[ast.keyword]) -> bool:
        """Whether a call passes all but the function, and nothing else."""
        match arguments:
            case [ast.Starred(value=ast.Name(id=rest))] if rest == self._rest:
                pass
            case _:
                return False
        match keywords:
            case []:
                return not self._keywords
            case [ast.keyword(arg=None, value=ast.Name(id=named))]:
                return named == self._keywords
        return False

    def are_called(self, node: ast.expr) -> bool:
        """Whether ``node`` is a lambda that calls the function with all the others."""
        match node:
            case ast.Lambda(
                args=ast.arguments(posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kwarg=None),
                body=ast.Call(func=ast.Name(id=called)) as call,
            ):
                return called == self._called and self.are_others(call.args, call.keywords)
        return False


def _gives(names: Names, module: Module, function: ast.AsyncFunctionDef, passed: _Passed) -> bool:
    loop = ""
    match [statement for statement in function.body if not _runs_nothing(statement)]:
        case [ast.Assign(targets=[ast.Name(id=loop)], value=made), last] if _is_loop(
            names, module, made
        ):
            pass
        case [last]:
            pass
        case _:
            return False
    match last:
        case ast.Return(value=ast.Await(value=ast.Call() as call)):
            pass
        case _:
            return False
    if names.qualified_name(module, call.func) in _THREADS:
        return passed.are_all(call.args, call.keywords)
    match call:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="run_in_executor"),
            args=[ast.Name() | ast.Attribute() | ast.Constant(), run, *others],
            keywords=[],
        ):
            is_name = isinstance(owner, ast.Name) and loop and owner.id == loop
            if not is_name and not _is_loop(names, module, owner):
                return False
            if others:
                return passed.are_all([run, *others], [])
            return passed.are_called(run) or _is_partial(names, module, run, passed)
    return False


def _runs_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring or an import."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
    return False


def _is_partial(names: Names, module: Module, node: ast.expr, passed: _Passed) -> bool:
    if (
        not isinstance(node, ast.Call)
        or names.qualified_name(module, node.func) != "functools.partial"
    ):
        return False
    return passed.are_all(node.args, node.keywords)


def _is_loop(names: Names, module: Module, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and names.qualified_name(module, node.func) in _LOOPS


class Arguments:
    """Answers for one program; ``call_at`` gives the resolved call at a place."""

    def __init__(self, slots: Slots, call_at: Callable[[Place], Call | None]) -> None:
        self._slots = slots
        self._call_at = call_at

    def uses_of(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        """Yield where ``call`` takes its argument ``node``."""
        qualified = self._slots.evaluator.names.qualified_name(module, call.func) or ""
        is_read = qualified in KEYS_OF or getattr(call.func, "attr", "") == "join"
        if not is_read or not self._slots.gives_keys(Spot(module, node, depth)):
            yield from self._uses_by_callee(module, call, node, depth)

    def _uses_by_callee(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        evaluator = self._slots.evaluator
        qualified = evaluator.names.qualified_name(module, call.func) or ""
        through = self._slot_after_call(module, call, qualified, Spot(module, node, depth))
        if through is not None:
            yield through
            return
        applying = called_in_place(module, node)
        if applying is not None and not depth:
            yield End("call", module, applying)
            return
        if qualified in library_names().looking:
            return
        overriding = arguments_for_overrides(call)
        if overriding is not None:
            yield from self._into_overrides(module, call, overriding, Spot(module, node, depth))
            return
        if registered_function(evaluator, module, call) is node:
            yield from _uses_by_registration(module, call, depth)
            return
        if self._is_absorbed(module, call) or self._is_started(call, node, qualified):
            yield End("absorbed", module, call)
            return
        if call.args[:1] == [node] and self._is_looking_up(module, call):
            return
        position = self._in_thread(module, call, qualified)
        if position is not None and not depth:
            is_run = node in call.args and call.args.index(node) == position
            yield End("thread", module, call) if is_run else End.leak(module, node, call)
            return
        if qualified == "dataclasses.replace":
            yield from self._uses_by_replace(module, call, node, depth)
            return
        result = list(self._parameters(module, call, node, depth))
        result += [
            self._slots.field(owner, name, depth)
            for value, owner, name in self._slots.fields_given(module, call)
            if value is node
        ]
        yield from result or (End.leak(module, node, call),)

    def _into_overrides(
        self, module: Module, call: ast.Call, arguments: Sequence[ast.expr], spot: Spot
    ) -> Found:
        """Yield the overrides of dependencies where ``call`` puts ``spot`` there: no key is."""
        if spot.depth or spot.node not in arguments[:1]:
            inside = spot.depth or self._slots.depth_by(module, next(iter(arguments), None), 0)
            yield End("absorbed", module, call)
            yield Slot("overrides", OVERRIDES, -1, OVERRIDES, inside)

    def _slot_after_call(
        self, module: Module, call: ast.Call, qualified: str, spot: Spot
    ) -> Spot | None:
        """Return the slot that holds ``spot`` after a call that returns or stores it."""
        node, depth = spot.node, spot.depth
        position = call.args.index(node) if node in call.args else -1
        if qualified in SAME - TABLES_OF and depth == KEYS + 1:
            return Spot(module, call, 1)
        is_given_back = (
            (qualified in CALLING and position == 0)
            or qualified in library_names().casts
            or (qualified in SAME and depth > 0)
            or (qualified == "builtins.getattr" and position == DEFAULT)
            or (call.args[1:] == [node] and self._is_looking_up(module, call))
        )
        if is_given_back:
            is_ordered = qualified not in SAME or qualified in TABLES_OF
            return Spot(module, call, depth if is_ordered else without_position(depth))
        if qualified == "builtins.next" and depth and position == 0:
            return Spot(module, call, iterated_depth(depth))
        if qualified == "builtins.enumerate" and depth and position == 0:
            return Spot(module, call, iterated_depth(depth) + 2)
        return self._into_container(module, call, node, depth)

    def _is_looking_up(self, module: Module, call: ast.Call) -> bool:
        """Whether `get` or `pop` takes something out of a dictionary by a key."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in {"get", "pop"}:
            return False
        return self._slots.is_table(module, call.func.value)

    def _is_absorbed(self, module: Module, call: ast.Call) -> bool:
        """Whether a call takes coroutine functions as well as plain ones."""
        names = library_names_of(self._slots.evaluator, module, call.func)
        absorbing = twins().absorbing.functions
        return bool(names) and all(not {*each}.isdisjoint(absorbing) for each in names)

    def _is_started(self, call: ast.Call, node: ast.expr, qualified: str) -> bool:
        """Whether ``node`` are handlers of an application: of its start, its end, errors."""
        name = next((keyword.arg for keyword in call.keywords if keyword.value is node), None)
        of_application = qualified in library_decorators().awaiting
        return of_application and name in {"exception_handlers", "on_shutdown", "on_startup"}

    def _in_thread(self, module: Module, call: ast.Call, qualified: str) -> int | None:
        """Return which argument of ``call`` it runs elsewhere and waits for, if it does so.

        That is in a thread, or in a greenlet, where a session runs a function with itself.
        """
        if qualified in library_names().in_threads:
            return library_names().in_threads[qualified]
        if runs_in_thread(self._slots.evaluator, module, call):
            return 0
        if not isinstance(call.func, ast.Attribute):
            return None
        if call.func.attr == "run_sync" and isinstance(module.parent(call), ast.Await):
            owners = self._slots.evaluator.values(module, call.func.value)
            are_sessions = all(
                isinstance(owner, Session) and owner.kind.startswith("async") and not owner.unless
                for owner in owners
            )
            return 0 if owners and are_sessions else None
        return 1 if call.func.attr == "run_in_executor" else None

    def _into_container(
        self, module: Module, call: ast.Call, node: ast.expr, depth: int
    ) -> Spot | None:
        func = call.func
        if not isinstance(func, ast.Attribute) or node not in call.args:
            return None
        if any(
            isinstance(value, ClassOf | InstanceOf) and self._slots.is_own(value.qualified)
            for value in self._slots.evaluator.values(module, func.value)
        ):
            return None
        if func.attr in ADDING and call.args.index(node) == ADDING[func.attr]:
            return Spot(module, func.value, depth + 1)
        is_joined = func.attr in JOINING and depth
        return Spot(module, func.value, without_position(depth)) if is_joined else None

    def _uses_by_replace(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        name = next((keyword.arg for keyword in call.keywords if keyword.value is node), None)
        if name is None:
            yield End.leak(module, node, call)
            return
        for owner in self._slots.evaluator.values(module, call.args[0]) if call.args else ():
            if isinstance(owner, InstanceOf) and self._slots.is_own(owner.qualified):
                yield self._slots.field(owner.qualified, name, depth)
            else:
                yield End.leak(module, node, call)

    def _parameters(self, module: Module, call: ast.Call, node: ast.expr, depth: int) -> Found:
        """Yield the parameters that ``call`` passes ``node`` to."""
        resolved = self._call_at(module.place(call))
        if resolved is None or resolved.kind in {"unknown", "library"}:
            return
        for place in resolved.functions:
            pair = next(self._slots.evaluator.functions_at([(place.path, place.start)]), None)
            if pair is None:
                yield End.leak(module, node, call)
                continue
            home, function = pair
            bound = bound_by(module, call, home, function, self._slots)
            parameter = parameter_getting(call, function, node, bound)
            if parameter is not None:
                yield self._slots.parameter(home, function, parameter.arg, depth)
            elif function.args.vararg is not None and node in collected_arguments(
                call, function, bound
            ):
                name = function.args.vararg.arg
                yield self._slots.parameter(home, function, name, depth + 1)
            else:
                yield End.leak(module, node, call)


def _uses_by_registration(module: Module, call: ast.Call, depth: int) -> Found:
    """Yield where a function goes that ``call`` makes an endpoint of, and gives back."""
    yield End("absorbed", module, call)
    # Nobody uses the result of a lambda.
    if not isinstance(module.parent(call), ast.Lambda):
        yield Spot(module, call, depth)


def bound_by(module: Module, call: ast.Call, home: Module, function: Function, slots: Slots) -> int:
    """Return how many parameters of ``function`` are given by what ``call`` calls it on."""
    if not takes_receiver(home, function):
        return 0
    if function.name in {"__init__", "__call__"} or has_decorator(function, "classmethod"):
        return 1
    # `Class.method(object)` gives the object itself.
    named = slots.evaluator.names.qualified_name(module, call.func)
    owner = home.enclosing_class(function)
    is_plain = owner is not None and named == f"{home.name}.{home.qualname(owner)}.{function.name}"
    return 0 if is_plain else 1

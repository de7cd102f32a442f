"""Functions that are called in the place of each other: all of them are awaited, or none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import (
    ENTERING,
    inherited_calls,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.replacing.fakes import Fakes
from awaken.codemods.sqlalchemy.session_to_async.colour.replacing.test_stand_ins import StandIns
from awaken.codemods.sqlalchemy.session_to_async.proof.before import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Calls
from awaken.contract import Place, Span
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.passed.components import Component
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project

_ASKING = {"isawaitable", "iscoroutine", "iscoroutinefunction"}


class Together:
    """The functions of one program that share their callers."""

    def __init__(self, after: Project, before: Before, calls: Calls) -> None:
        self._after = after
        self._before = before
        self._calls = calls
        self._kinds = calls.kinds
        self._fakes = Fakes(after)
        self._stand_ins = StandIns(after)
        self._seen: set[int] = set()

    def wrong(self, paths: AbstractSet[str]) -> Iterator[tuple[Place, str]]:
        """Yield the calls in ``paths`` that take a plain function for a coroutine function."""
        for function in self._after.calls.graph().functions():
            if function.path not in paths:
                continue
            if self._kinds.kind_of(function) == "coroutine":
                yield from self._kind_conflicts(function)
            yield from self._decorated_pairs(function)
            yield from self._inherited_calls(function)
            yield from self._entering(function)

    def _kind_conflicts(self, function: FunctionPlace) -> Iterator[tuple[Place, str]]:
        beside = {
            *self._after.calls.override_sets().override_set(function),
            *self._fakes.methods_of_fakes(function),
        }
        beside |= {*self._stand_ins.stand_ins_for(function, {function})}
        for component in self._components(function):
            is_awaited = False
            for place in sorted(component.calls):
                for module, node in self._after.calls_at(place)[:1]:
                    is_awaited |= isinstance(module.parent(node), ast.Await)
                    if not self._calls.is_run(module, node):
                        shown = f"`{module.excerpt(node)}`"
                        yield place, f"nothing awaits the coroutine that {shown} returns"
            beside |= component.functions if is_awaited else set()
        for item in sorted(beside):
            if self._kinds.kind_of(item) != "plain" or self._kinds.promises(item):
                continue
            # Last: it parses files.
            if not (self._before.was_plain(item) and self._before.was_coroutine(function)):
                what = f"`{item.qualname}` is called where `{function.qualname}` is awaited"
                yield Place(item.path, Span(item.start, item.start)), what

    def _components(self, function: FunctionPlace) -> Iterator[Component]:
        """Yield what ``function``, and lambdas that return what it gives, are passed on with."""
        for component in self._after.calls.passed_functions().components_around(function):
            if id(component) not in self._seen:
                self._seen.add(id(component))
                yield component

    def _decorated_pairs(self, function: FunctionPlace) -> Iterator[tuple[Place, str]]:
        """Yield where wrappers of the program treat ``function`` as one of the other kind."""
        module, node = self._node(function)
        for decorator in node.decorator_list if node is not None else ():
            name = without_arguments(decorator)
            qualified = None if module is None else self._after.qualified_name(module, name)
            home, around = self._after.function_definition(qualified) or (None, None)
            if home is not None and around is not None:
                for call in _calls_of_parameter(home, around):
                    kind = self._kinds.kind_of(function)
                    what = (
                        ""
                        if kind == "plain" and _asks(around)
                        else self._problem_of_wrapped(home, call, kind)
                    )
                    if what:
                        yield home.place(call), f"`{home.excerpt(call)}` {what}"

    def _problem_of_wrapped(self, module: Module, call: ast.Call, kind: str) -> str:
        is_awaited = isinstance(module.parent(call), ast.Await)
        if kind == "coroutine" and not is_awaited and not self._calls.is_run(module, call):
            return "returns a coroutine that nothing awaits"
        return (
            "is awaited, but does not return an awaitable" if kind == "plain" and is_awaited else ""
        )

    def _inherited_calls(self, function: FunctionPlace) -> Iterator[tuple[Place, str]]:
        """Yield the calls of inherited methods of managers that nothing awaits."""
        module, node = self._node(function)
        if module is None or node is None or node.name not in ENTERING.values():
            return
        for call in inherited_calls(node):
            yield (
                module.place(call),
                f"`{module.excerpt(call)}` belongs to a synchronous context manager",
            )
        for part in ast.walk(node):
            match part:
                case ast.Call(
                    func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)
                ) if name in ENTERING.values() and not isinstance(module.parent(part), ast.Await):
                    yield module.place(part), f"`{module.excerpt(part)}` is not awaited"

    def _entering(self, function: FunctionPlace) -> Iterator[tuple[Place, str]]:
        """Yield the methods that Python awaits by itself, and that are no coroutine functions."""
        name = function.name
        if name not in ENTERING.values() or self._kinds.kind_of(function) != "plain":
            return
        if not self._before.was_plain(function) and not self._kinds.promises(function):
            yield function.place, f"`{function.qualname}` does not return an awaitable"

    def _node(self, function: FunctionPlace) -> tuple[Module | None, Function | None]:
        module = self._after.module(function.path)
        return module, None if module is None else module.function_at(function.start)


def _asks(decorator: Function) -> bool:
    """Whether a decorator asks of which kind a function is."""
    return not _ASKING.isdisjoint(map(last_name, ast.walk(decorator)))


def _calls_of_parameter(module: Module, decorator: Function) -> Iterator[ast.Call]:
    """Yield the calls, in coroutine functions, of what a decorator decorates."""
    definitions = [part for part in ast.walk(decorator) if isinstance(part, ast.FunctionDef)]
    names = {definition.args.args[0].arg for definition in definitions if definition.args.args}
    for node in ast.walk(decorator):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in names:
                if isinstance(module.enclosing_function(node), ast.AsyncFunctionDef):
                    yield node

"""Problems that the changes of session-to-async cause, over all files.

Functions that are called in the place of each other: all of them are awaited, or none.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import (
    ENTERING,
    Results,
    inherited_calls,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import Fakes, StandIns
from awaken.codemods.sqlalchemy.session_to_async.doubles.fake_sessions import namespaces
from awaken.codemods.sqlalchemy.session_to_async.doubles.mocked_objects import MockedObjects
from awaken.codemods.sqlalchemy.session_to_async.doubles.replaced_functions import Doubles
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import WORDS
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import (
    Before,
    Calls,
    lost_operations,
    synchronous,
)
from awaken.contract import Change, Edit, NeedImport, Place, Problem, Span, TextEdit
from awaken.kit.sites import Rewrite
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.colouring import Step
from awaken.project.graph.forwards.passed.components import Component
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.source.worklist import preorder
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import is_python

if TYPE_CHECKING:
    from awaken.project import Project

_ASKING = {"isawaitable", "iscoroutine", "iscoroutinefunction"}
_MOCKS = library_names().mocks
_NAMING = (ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef)
_MANAGERS = {
    "contextlib.asynccontextmanager": ast.FunctionDef,
    "contextlib.contextmanager": ast.AsyncFunctionDef,
}
"""Decorators, with the kind of function that they are not for."""
Wrong = tuple[Place, str]
"""A place, and the clause that says what is wrong there."""


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
        for call in inherited_calls(node, ENTERING.values()):
            if not isinstance(module.parent(call), ast.Await):
                yield module.place(call), f"`{module.excerpt(call)}` is not awaited"

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


class _AsynchronousPart(SynchronousPart):
    """The coroutine functions of a program, as if they still had to become such functions."""

    def __init__(self, after: Project, calls: Calls) -> None:
        # Nothing is read again: synchronous code does not matter here.
        self.project = after
        self.results = Results(after, lambda _: ())
        self._asynchronous, self._lambdas = set(), {}
        before = _coroutines_before(after)
        self.steps = {
            function: Step(Place(function.path, function.place.span), None)
            for function in after.calls.graph().functions()
            if calls.kinds.kind_of(function) == "coroutine"
            and (function.path, function.qualname.replace(".<locals>", "")) not in before
        }

    def operations_of(self, module: Module, function: FunctionPlace) -> list[Operation]:
        """Return what a function awaits of its sessions."""
        known = self.node_of(function)
        return [] if known is None else [*self._awaited_in(module, known[1])]

    def _awaited_in(self, module: Module, function: ast.AST) -> Iterator[Operation]:
        for node in own_nodes(what_runs(function)):
            match node:
                case ast.Await(
                    value=ast.Call(func=ast.Attribute(value=receiver, attr=method)) as call
                ) if method in twins().awaited["session"]:
                    session = self.project.orm.session_of(module, receiver)
                    if isinstance(session, SessionProof):
                        yield Operation(call, "awaited", method=method)


def _coroutines_before(after: Project) -> set[tuple[str, str]]:
    """Return the coroutine functions that a program had before the change: files and names.

    Their replacements were coroutine functions then too.
    """
    coroutines: set[tuple[str, str]] = set()
    for path in after.before or ():
        source = after.before.get(path) if after.before is not None and is_python(path) else None
        if source is None or b"async def" not in source.text:
            continue
        with suppress(Unparsable):
            start: tuple[str, ast.AST] = "", parse_text(source.text)
            for name, node in preorder([start], _named_inside):
                coroutines |= {(path, name)} if isinstance(node, ast.AsyncFunctionDef) else set()
    return coroutines


def _named_inside(pair: tuple[str, ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    around, node = pair
    for child in ast.iter_child_nodes(node):
        name = child.name if isinstance(child, _NAMING) else ""
        yield f"{around}.{name}".strip("."), child


def synchronous_doubles(
    after: Project, calls: Calls, paths: AbstractSet[str]
) -> Iterator[tuple[Place, str]]:
    """Yield the doubles, in ``paths``, that nobody can await where somebody does."""
    yield from _of_managers(after, calls, paths)
    part = _AsynchronousPart(after, calls)
    for result in (Doubles(part, ""), MockedObjects(part, ""), namespaces(part, "")):
        for member in result:
            outcome = member.outcome
            is_left = not isinstance(outcome, Rewrite) or any(map(_lets_await, outcome.edits))
            if is_left and member.site.place.path in paths:
                what = f"{member.shown} is awaited, but does not return an awaitable"
                yield member.site.place, what


def _lets_await(edit: Edit) -> bool:
    """Whether an edit is what makes a double awaited: others say what it gives then.

    ``patch`` itself makes an ``AsyncMock`` of a coroutine function.
    """
    is_text = isinstance(edit, NeedImport | TextEdit)
    return not is_text or (isinstance(edit, TextEdit) and "sync" in edit.text)


def _of_managers(
    after: Project, calls: Calls, paths: AbstractSet[str]
) -> Iterator[tuple[Place, str]]:
    """Yield where a mock of an asynchronous manager is configured as a synchronous one."""
    for module in after.modules_at(sorted(paths)):
        for replacement in after.replacements.in_module(module):
            kinds = {calls.kinds.kind_of(function) for function in replacement.functions}
            around = module.enclosing_function(replacement.node)
            if around is None or kinds != {"manager"} or not replacement.bound:
                continue
            for node in module.walk(around):
                if _is_entered_synchronously(after, module, node, replacement.bound):
                    yield module.place(node), f"`{module.excerpt(node)}` is not asynchronous"


def _is_entered_synchronously(after: Project, module: Module, node: ast.AST, name: str) -> bool:
    match node:
        case ast.Attribute(
            value=ast.Attribute(value=ast.Name(id=held), attr="return_value"), attr=method
        ) if held == name:
            above = module.parent(node)
            value = above.value if isinstance(above, ast.Assign) else None
            made = value.func if isinstance(value, ast.Call) else None
            is_mock = made is not None and after.qualified_name(module, made) in _MOCKS
            return method in ENTERING or (method in ENTERING.values() and is_mock)
    return False


def misplaced_awaits(after: Project, module: Module) -> Iterator[tuple[Place, str]]:
    """Yield what Python does not run: awaits elsewhere, and generators that return."""
    for node in module.walk():
        match node:
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                around = module.enclosing_function(node)
                if not isinstance(around, ast.AsyncFunctionDef):
                    yield (
                        module.place(node),
                        f"nothing can be awaited at `{_first_line(module, node)}`",
                    )
            case ast.Return(value=ast.expr()) | ast.YieldFrom():
                around = module.enclosing_function(node)
                if isinstance(around, ast.AsyncFunctionDef) and module.is_generator(around):
                    shown = _first_line(module, node)
                    yield module.place(node), f"an asynchronous generator has no `{shown}`"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for decorator in node.decorator_list:
                    name = after.qualified_name(module, decorator)
                    wrong = _MANAGERS.get(name or "")
                    if wrong is not None and isinstance(node, wrong):
                        yield module.place(node), f"`{name}` does not fit `{node.name}`"


def _first_line(module: Module, node: ast.AST) -> str:
    return module.text_of(node).splitlines()[0]


def problems(before: Before, after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield what ``changes`` broke in ``after``, the program with them."""
    ids = tuple(change.id for change in changes)
    paths = {path for change in changes for path in change.paths if path.endswith(".py")}
    told: set[Place] = set()
    calls = Calls(after, before)
    together = Together(after, before, calls)
    result = (
        _in_files(after, paths),
        _newly_lost(before, after, paths),
        calls.wrong(paths),
        together.wrong(paths),
        synchronous_doubles(after, calls, paths),
    )
    wrong = [*chain.from_iterable(result)]
    earlier = before.project(after) if wrong else after
    for place, what in wrong:
        # A file that could not be imported before calls nothing.
        module = earlier.module(place.path)
        if place not in told and (module is None or not earlier.failing_import(module)):
            told.add(place)
            yield Problem(place, what, ids)


def _in_files(after: Project, paths: set[str]) -> Iterator[Wrong]:
    for module in after.modules_at(sorted(paths)):
        if not is_of_alembic(module):
            yield from misplaced_awaits(after, module)
            yield from synchronous(after, module)


def _newly_lost(before: Before, after: Project, paths: set[str]) -> Iterator[Wrong]:
    """Yield the operations that nothing awaits, without those that were lost before."""
    # A receiver of an asynchronous session need not have changed.
    for module in after.modules_at(sorted({*paths, *after.files_with(WORDS)})):
        result = list(lost_operations(after, module))
        if not result:
            continue
        earlier = before.project(after)
        source = earlier.module(module.path)
        known = Counter(
            () if source is None else _named_functions(source, lost_operations(earlier, source))
        )
        for name, wrong in zip(_named_functions(module, result), result, strict=True):
            known[name] -= 1
            if known[name] < 0:
                yield wrong


def _named_functions(module: Module, found: Iterable[Wrong]) -> Iterator[tuple[str, str]]:
    """Yield the function of each, and what is wrong there."""
    functions = list(module.functions)
    for place, what in found:
        around = [function for function in functions if module.span(function).contains(place.span)]
        yield module.qualname(around[-1]) if around else "", what

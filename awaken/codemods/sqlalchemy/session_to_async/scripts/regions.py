"""The statements of a script that become the body of one coroutine function."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import calls_of, is_call_of
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import entered_at
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import (
    PartFacts,
    SynchronousPart,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import asks_for_loop, runs_loop
from awaken.codemods.sqlalchemy.session_to_async.payload import Enclosed
from awaken.contract import Place
from awaken.kit.search import importers, is_command, is_imported
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.decorators import library_decorators
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.dispatch import Called
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project

_MAY_RUN_LOOPS = {"asyncio", "concurrent", "importlib", "runpy", "unittest"}
"""Modules of the standard library that may run an event loop, or code that does."""

_TESTED = re.compile(rb"^(?:@|class (?:Test|\w+\()|(?:async )?def test)|TestClient", re.MULTILINE)
"""What a test runner finds in a file, and a client that runs the application in its own loop."""

_OF_BUILTINS = {
    name for item in (bytes, dict, float, int, list, set, str, tuple) for name in dir(item)
}
"""Methods of builtin types: what has one of the same name does nothing else by it."""


class Region(Struct, frozen=True):
    """The statements ``first`` to ``last``, which is the last one, of a file, ``if`` or function.

    The ``if`` asks whether the file is run as a script; the function serves an application.
    """

    module: Module
    holder: ast.If | ast.Module | ast.FunctionDef
    first: int
    last: int

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statements themselves."""
        return self.holder.body[self.first : self.last + 1]

    def holds(self, place: Place) -> bool:
        """Whether a place of the file is in one of the statements."""
        spans = map(self.module.span, self.statements)
        return any(span.contains(place.span) for span in spans)

    @property
    def statements_above(self) -> int:
        """How many statements of its block are above it, without functions."""
        return _without_functions(self.holder.body[: self.first])

    @property
    def statements_below(self) -> int:
        """How many statements of its block are below it, without functions."""
        return _without_functions(self.holder.body[self.last + 1 :])

    def as_function(self, name: str, run: str, kept: tuple[str, ...], blank_lines: int) -> Enclosed:
        """Return how the statements become the body of a function of this name."""
        return Enclosed(name, run, self.statements_above, self.statements_below, kept, blank_lines)

    @property
    def shares_a_line(self) -> bool:
        """Whether one of the statements begins on the line on which another one ends."""
        before = max(self.first - 1, 0)
        ends = [(statement.lineno, statement.end_lineno) for statement in self.holder.body[before:]]
        return any(end == start for (_, end), (start, _) in pairwise(ends))


def _without_functions(statements: Iterable[ast.stmt]) -> int:
    return sum(not isinstance(part, Function) for part in statements)


def regions_of(
    project: Project, module: Module, waiting: Iterable[ast.AST], loops: Loops
) -> Iterator[Region]:
    """Yield the regions of a file that hold what waits in it, where a process begins with them.

    The statements after it that surely run no event loop belong to the region.
    """
    result: dict[ast.AST, list[int]] = {}
    holders: dict[ast.AST, ast.If | ast.Module] = {}
    for node in waiting:
        holder = _holder(project, module, node)
        # A decorator is not part of the span of what it decorates, and nothing awaits in one.
        if holder is not None and not _is_in_decorator(module, node):
            holders[holder] = holder
            around = (node, *module.ancestors(node))
            index = next(i for i, statement in enumerate(holder.body) if statement in around)
            result.setdefault(holder, []).append(index)
    for key, indices in result.items():
        holder = holders[key]
        last = max(indices)
        following = holder.body[last + 1 :]
        last += sum(1 for _ in takewhile(partial(_belongs, project, module, loops), following))
        yield Region(module, holder, min(indices), last)


# ------------------------------------------------------------------------------------------ parts
def _belongs(project: Project, module: Module, loops: Loops, statement: ast.stmt) -> bool:
    """Whether a statement may follow what waits: a function declares no global with a type."""
    is_typed = isinstance(statement, ast.AnnAssign)
    return not is_typed and runs_no_loop(project, module, statement, loops)


def _is_in_decorator(module: Module, node: ast.AST) -> bool:
    chain = (node, *module.ancestors(node))
    return any(
        isinstance(above, Function | ast.ClassDef) and below in above.decorator_list
        for below, above in pairwise(chain)
    )


def _holder(project: Project, module: Module, node: ast.AST) -> ast.If | ast.Module | None:
    """Return the file or the ``if`` of which ``node`` is a part, if a process begins with it."""
    for above in module.ancestors(node):
        if isinstance(above, ast.If) and module.parent(above) is module.tree:
            if module.is_under_main(node):
                return above
            break
    is_beginning = module.path.rpartition("/")[2] == "__main__.py"
    return module.tree if is_beginning or is_script(project, module) else None


def is_script(project: Project, module: Module) -> bool:
    """Whether a file makes no application, and only scripts import it, before they do anything.

    A server imports a file by the name of its application.
    """
    name = module.path.rpartition("/")[2]
    is_tested = is_test_file(module.path) and _TESTED.search(module.source.text) is not None
    if is_tested or name in {"__init__.py", "conftest.py"}:
        return False
    return not (_has_application(project, module) or is_command(project, module)) and all(
        _imports_first(other, node)
        and not (_has_application(project, other) or is_imported(project, other))
        for other, node in importers(project, module)
    )


def _imports_first(module: Module, node: ast.AST) -> bool:
    """Whether a file imports another one before code of the program runs in it."""
    if node not in module.tree.body or is_test_file(module.path):
        return False
    above = module.tree.body[: module.tree.body.index(node)]
    return all(
        isinstance(statement, ast.Import | ast.ImportFrom)
        or (isinstance(statement, ast.Expr) and _is_plain(module, statement.value))
        for statement in above
    )


def _is_plain(module: Module, value: ast.expr) -> bool:
    """Whether a statement is a text, or calls `sys.path`."""
    match value:
        case ast.Call(func=func):
            return module.text_of(func).startswith("sys.path.")
    return isinstance(value, ast.Constant)


def is_collected(project: Project, module: Module) -> bool:
    """Whether pytest imports a file, or others do that it imports: no loop runs before all tests.

    A function that imports a ``conftest.py`` may run it again, by another name.
    """
    if not is_test_file(module.path) or is_script(project, module):
        return False
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        and is_test_file(other.path)
        and other.enclosing_function(node) is None
        for other, node in importers(project, module)
    )


def _has_application(project: Project, module: Module) -> bool:
    for statement in module.tree.body:
        match statement:
            case ast.ImportFrom() if any(
                _makes_application(project, home, alias.name)
                for path in project.web.imports.files_imported(module, statement)
                if (home := project.module(path)) is not None
                for alias in statement.names
            ):
                return True
    return any(_makes_application(project, module, name) for name in module.scopes.module.bindings)


def _makes_application(project: Project, module: Module, name: str) -> bool:
    """Whether a variable of a file may be an application: an unknown name counts."""
    bindings = [
        binding
        for binding in module.scopes.module.bindings.get(name, ())
        if not isinstance(module.parent(binding.node), ast.Import)
    ]
    applications = library_decorators().awaiting
    return any(
        isinstance(binding.value, ast.Call)
        and project.qualified_name(module, binding.value.func) in applications
        for binding in bindings
    ) or (bool(bindings) and name in {"app", "application"})


def runs_no_loop(project: Project, module: Module, statement: ast.stmt, loops: Loops) -> bool:
    """Whether what a statement calls is of Python itself, or functions that run no loop."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return all(
        _is_of_python(project, module, node) or loops.calls_own(module, node)
        for node in module.nodes_below(statement, ast.Call)
    )


def _is_of_python(project: Project, module: Module, call: ast.Call) -> bool:
    if module.scopes.builtin_called(call):
        return True
    if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_BUILTINS:
        return True
    name = project.qualified_name(module, call.func) or ""
    return name.partition(".")[0] in sys.stdlib_module_names - _MAY_RUN_LOOPS


class Waiting(Struct, frozen=True):
    """Operations, managers of the program that are entered, and calls of what waits."""

    operations: Sequence[Operation]
    entered: Sequence[ast.expr]
    calls: Sequence[ast.expr]

    def nodes(self) -> list[ast.expr]:
        """Return all of them."""
        return [*(operation.node for operation in self.operations), *self.entered, *self.calls]


def waiting_in(part: SynchronousPart, module: Module, function: Function | None = None) -> Waiting:
    """Return what waits in a function, or in a file outside of all; a task runs itself."""
    top = part.place_of(module, function)
    entered = [entered_at(module, place) for place in part.entries.get(top, ())]
    calls = [
        node
        for call in part.calls.get(top, ())
        if not call.functions or not all(map(part.entry_points.is_task, call.functions))
        for node in module.calls_at(call.place.span)[:1]
    ]
    return Waiting(part.operations_of(module, top), entered, calls)


def is_entered(module: Module, node: ast.AST) -> bool:
    """Whether what a call gives is entered, iterated or a decorator, and not awaited."""
    taking = ast.comprehension | ast.For | ast.withitem | ast.ClassDef | Function
    return isinstance(module.parent(node), taking)


def is_one_call(part: SynchronousPart, region: Region, waiting: Waiting) -> bool:
    """Whether all that waits in a region is one call: its coroutine runs at its place."""
    module = region.module
    inside = [node for node in waiting.nodes() if region.holds(module.place(node))]
    is_alone = len(inside) == 1 and inside[0] in waiting.calls
    return is_alone and not (is_entered(module, inside[0]) or iterates(part, module, inside[0]))


def iterates(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether a call gives a generator: that becomes asynchronous, and nothing awaits it."""
    calls = part.project.calls
    called = calls.function_called(module, node) if isinstance(node, ast.Call) else None
    return isinstance(called, Called) and called.module.is_generator(called.function)


_RUNNING = frozenset({*boundaries().loops, *boundaries().servers})


class Loops(PartFacts):
    """Knows which functions of a program run an event loop, other than by `asyncio.run`."""

    def refusals(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the functions that become coroutine functions, and run a loop, with the place."""
        for function, place in self._running.items():
            serves = self._part.entry_points.serves(function)
            for item in self._project.calls.graph().reaching([function]):
                is_left = item == function and serves
                if item in self._part.steps and not is_left and not is_test_file(item.path):
                    yield item, self._refusal(place)

        by_function = self._part.entry_points.found.items()
        # A command is given a loop, and what a test invokes may be any of them.
        if any(
            self._part.waits(of) and entries[0].kind == "command" for of, entries in by_function
        ):
            for module, call in calls_of(self._project, boundaries().commands.invoking):
                around = self._part.function_around(module, call)
                for item in self._project.calls.graph().reaching([around]):
                    if item in self._part.steps:
                        yield item, self._refusal(module.place(call))

    @cached_property
    def _remaining_loops(self) -> dict[FunctionPlace, Place]:
        """The functions that run a loop, those among them that are given one by this change."""
        points = self._part.entry_points
        bridged = {
            function: entries[0].at
            for function, entries in points.found.items()
            if not points.is_task(function) and self._part.waits(function)
        }
        return {**bridged, **self._running}

    def check(self, module: Module, around: FunctionPlace, statements: Iterable[ast.stmt]) -> None:
        """Raise Refused where statements of ``around``, or what they call, run a loop."""
        graph = self._project.calls.graph()
        for statement in statements:
            for node in module.walk(statement):
                if isinstance(node, ast.Call) and is_call_of(self._project, module, node, _RUNNING):
                    raise self._refusal(module.place(node))
        spans = [module.span(part) for part in statements]
        for function, place in self._remaining_loops.items():
            for item in graph.reaching([function]):
                for call in graph.callers(item):
                    if self._part.with_caller(call).caller == around and any(
                        span.contains(call.place.span) for span in spans
                    ):
                        raise self._refusal(place)

    def _refusal(self, place: Place) -> Refused:
        return Refused(reasons.LOOP_INSIDE, self._shown_text(place), because=(place,))

    def calls_own(self, module: Module, call: ast.Call) -> bool:
        """Whether a call calls functions of the program alone, and none that runs a loop."""
        called = self._called_functions(module, call)
        return bool(called) and not any(
            function in self._remaining_loops
            for function in self._project.calls.graph().reachable(called)
        )

    # ------------------------------------------------------------------------------------- parts
    def _called_functions(self, module: Module, call: ast.Call) -> list[FunctionPlace]:
        places = (
            self._part.function_at(home.path, home.span(function).start)
            for home, function in self._project.calls.known_functions(module, call)
        )
        return [place for place in places if place is not None]

    def _shown_text(self, place: Place) -> str:
        calls = self._project.calls_at(place)
        return next((f"`{module.excerpt(call)}`" for module, call in calls), "this")

    @cached_property
    def _running(self) -> dict[FunctionPlace, Place]:
        places: dict[FunctionPlace, Place] = {}
        for module, call in calls_of(self._project, _RUNNING):
            around = self._part.function_around(module, call)
            # A function that waits awaits the coroutine instead.
            is_awaited = around in self._part.steps and runs_loop(self._project, module, call)
            if around.start >= 0 and not is_awaited and not asks_for_loop(module, call):
                places.setdefault(around, module.place(call))
        return places

"""Calls that run an event loop themselves, which is impossible inside another loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import (
    calls_of,
    is_call_of,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import asks_for_loop, runs_loop
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_RUNNING = frozenset({*boundaries().loops, *boundaries().servers})


class Loops:
    """Knows which functions of a program run an event loop, other than by `asyncio.run`."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project: Project = part.project

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
        callees = self._project.calls.functions_called(module, call)
        if not isinstance(callees, tuple):
            return []
        places = (
            self._part.function_at(callee.module.path, callee.module.span(callee.function).start)
            for callee in callees
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

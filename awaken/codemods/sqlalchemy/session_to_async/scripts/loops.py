"""Calls that run an event loop themselves, which is impossible inside another loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import (
    calls_of,
    is_call_of,
)
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.program import SynchronousPart
    from awaken.project import Project

_RUNNING = frozenset({*boundaries().loops, *boundaries().servers})


class Loops:
    """Knows which functions of a program run an event loop, other than by `asyncio.run`."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project: Project = part.project

    def refused(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the functions that become coroutine functions, and run a loop, with the place."""
        for function, place in self._running.items():
            serves = self._part.entry_points.serves(function)
            for one in self._project.calls.graph().reaching([function]):
                is_left = one == function and serves
                if one in self._part.steps and not is_left and not is_test_file(one.path):
                    yield one, self._refused(place)

    @cached_property
    def _outside(self) -> dict[FunctionPlace, Place]:
        """The functions that run a loop, those among them that are given one by this change."""
        points = self._part.entry_points
        bridged = {
            one: entries[0].at
            for one, entries in points.found.items()
            if not points.is_task(one) and self._part.waits(one)
        }
        return {**bridged, **self._running}

    def check(self, module: Module, around: FunctionPlace, statements: Iterable[ast.stmt]) -> None:
        """Raise Refused where statements of ``around``, or what they call, run a loop."""
        graph = self._project.calls.graph()
        for statement in statements:
            for node in module.walk(statement):
                if isinstance(node, ast.Call) and self._runs(module, node):
                    raise self._refused(module.place(node))
        spans = [module.span(one) for one in statements]
        for function, place in self._outside.items():
            for one in graph.reaching([function]):
                for call in graph.callers(one):
                    if call.caller == around and any(
                        span.contains(call.place.span) for span in spans
                    ):
                        raise self._refused(place)

    def _refused(self, place: Place) -> Refused:
        return Refused(reasons.LOOP_INSIDE, self._shown(place), because=(place,))

    def calls_own(self, module: Module, call: ast.Call) -> bool:
        """Whether a call calls functions of the program alone, and none that runs a loop."""
        called = self._called(module, call)
        return bool(called) and not any(
            one in self._outside for one in self._project.calls.graph().reached(called)
        )

    # ------------------------------------------------------------------------------------- parts
    def _called(self, module: Module, call: ast.Call) -> list[FunctionPlace]:
        found = self._project.calls.functions_called(module, call)
        if not isinstance(found, tuple):
            return []
        places = (
            self._part.function_at(one.module.path, one.module.span(one.function).start)
            for one in found
        )
        return [one for one in places if one is not None]

    def _shown(self, place: Place) -> str:
        calls = self._project.calls_at(place)
        return next((f"`{module.excerpt(call)}`" for module, call in calls), "this")

    @cached_property
    def _running(self) -> dict[FunctionPlace, Place]:
        found: dict[FunctionPlace, Place] = {}
        for module, call in calls_of(self._project, _RUNNING):
            around = self._part.around(module, call)
            if around.start >= 0:
                found.setdefault(around, module.place(call))
        return found

    def _runs(self, module: Module, call: ast.Call) -> bool:
        return is_call_of(self._project, module, call, _RUNNING)

"""Blocking calls of functions that leave the thread pool and now block the event loop."""

from __future__ import annotations

import ast
from functools import cached_property

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import is_call_of
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import ASKING, asks_for_loop
from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.kit.sites import listed_names
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.libraries import Wait
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests

_LONG: frozenset[Wait] = frozenset({"cpu", "http", "lock", "network", "process", "sleep"})
"""What takes its time, and does not wait for the database."""


class HoldingUp:
    """Answers for one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part

    def caveats(self, module: Module, node: ast.FunctionDef) -> tuple[list[str], tuple[Place, ...]]:
        """Return a caveat for each call by which a function blocks, and the places of these calls.

        Functions that it calls are followed, but not those that become coroutine functions: they
        say so themselves.
        """
        if is_around_tests(module.path):
            return [], ()
        function, graph = self._part.place_of(module, node), self._part.project.calls.graph
        called = self._asking.intersection(graph().reachable([function]) if self._asking else ())
        said = [f"`{item.qualname}` finds a running event loop now" for item in sorted(called)]
        result = {
            blocking_call.name: (*blocking_call.chain, blocking_call.place)
            for blocking_call in self._part.project.effects.blocking_calls(module, node).known
            if blocking_call.waits_for in _LONG
            and self._awaited_places.isdisjoint(blocking_call.chain)
        }
        if not result:
            return said, ()
        verb = "blocks" if len(result) == 1 else "block"
        places = tuple(place for places in result.values() for place in places)
        return [*said, f"{listed_names(sorted(result))} now {verb} the event loop"], places

    @cached_property
    def _asking(self) -> frozenset[FunctionPlace]:
        """The functions that run a loop where none is running."""
        project = self._part.project
        return frozenset(
            self._part.function_around(module, call)
            for module, call in nodes_with(
                project, sorted(name.encode() for name in ASKING), ast.Call
            )
            if is_call_of(project, module, call, boundaries().loops)
            if asks_for_loop(module, call)
        )

    @cached_property
    def _awaited_places(self) -> frozenset[Place]:
        return frozenset(call.place for calls in self._part.calls.values() for call in calls)

"""Engines and connections that a test wrote by hand: classes whose objects replace them.

A method that waits on the asynchronous side becomes a coroutine function of the fake. Objects that
are entered there are entered with ``async with``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project.graph.forwards.call_graph import FunctionPlace

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.functions.results import Results
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation


class FakeEngines:
    """The methods of such classes of one program, each with a place at which it is called."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.awaited: dict[FunctionPlace, Place] = {}
        self.entered: dict[FunctionPlace, Place] = {}

    def add(self, operation: Operation, place: Place) -> None:
        """Note what an operation at ``place`` may call of fakes."""
        if operation.how not in {"awaited", "entered"}:
            return
        found = self.awaited if operation.how == "awaited" else self.entered
        for fake in operation.fakes:
            for method in self._project.calls.kin().methods(fake, operation.method):
                found.setdefault(method, place)

    def refused(self, results: Results) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the methods that give nothing which could be entered, or awaited."""
        for expected, methods in (("coroutine", self.awaited), ("manager", self.entered)):
            for method, place in methods.items():
                if results.kind_of(method) != expected:
                    why = f"`{method.qualname}` may or may not be {_HOW[expected]}"
                    yield method, Refused(TEST_DOUBLE, why, because=(place,))


_HOW = {"coroutine": "awaited", "manager": "entered asynchronously"}

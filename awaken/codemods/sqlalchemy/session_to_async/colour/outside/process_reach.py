"""The processes of a function: others than the application's, or its loop alone."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import (
    EntryPoint,
    EntryPoints,
    begins_process,
)
from awaken.contract import Place
from awaken.project.graph.callers.call_sites import Obstacle
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module, same_node
from awaken.project.source.test_files import is_test_file
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

_APART = {"command", "process", "server"}
_ALONE = _APART | {"consumer", "own-loop", "task"}
"""Entry points that run in a loop where nothing else does."""
_MANY = 500
"""Functions that are looked at on the way up."""


class Reach:
    """Follows callers up to where they begin; tests decide nothing."""

    def __init__(self, project: Project, entries: EntryPoints) -> None:
        self._project = project
        self._entries = entries

    def outside_of_processes(self, function: FunctionPlace) -> Place | None:
        """Return a place that shows that ``function`` may run elsewhere than in such a process.

        Such a process begins with a command, below ``__main__``, or for one function. No event loop
        runs there unless the program starts it. None if it runs there alone.
        """
        waiting = Worklist([function])
        for current in waiting:
            place, above = self._items_above(current)
            if place is not None or len(waiting.seen) > _MANY:
                return place or current.place
            waiting += sorted(set(above))
        return None

    def _items_above(self, function: FunctionPlace) -> tuple[Place | None, list[FunctionPlace]]:
        """Return who has ``function`` run, or the place where no process of its own does."""
        entries, callers = self._entries.found.get(function, ()), self._callers(function)
        if self._is_coroutine(function) or not (entries or callers) or self._is_hidden(function):
            return function.place, []
        beside = [entry.at for entry in entries if entry.kind not in {*_APART, "consumer"}]
        beside += [
            one.place for one in callers if one.caller.start < 0 and not self._is_under_main(one)
        ]
        above = [entry.around for entry in entries if entry.kind == "consumer"]
        above += [caller.caller for caller in callers if caller.caller.start >= 0]
        return next(iter(beside), None), above

    def shares_loop(self, function: FunctionPlace) -> bool:
        """Whether ``function`` may run where other tasks do, such as those of requests.

        Texts that name it are no calls. A plain function of a test has the loop of that test alone.
        """
        if is_test_file(function.path) and not self._is_coroutine(function):
            return False
        waiting = Worklist([function])
        for current in waiting:
            entries, callers = self._entries.found.get(current, ()), self._callers(current)
            is_alone = bool(entries) and all(entry.kind in _ALONE for entry in entries)
            is_root = bool(entries) or not callers or self._is_value(current)
            at_import = [caller for caller in callers if caller.caller.start < 0]
            if len(waiting.seen) > _MANY or (is_root and not is_alone):
                return True
            if self._is_coroutine(current) or not all(map(self._is_under_main, at_import)):
                return True
            waiting += sorted({caller.caller for caller in callers if caller.caller.start >= 0})
        return False

    def _is_coroutine(self, function: FunctionPlace) -> bool:
        node = self._project.calls.definition_of(function)
        return node is not None and isinstance(node[1], ast.AsyncFunctionDef)

    def _is_value(self, function: FunctionPlace) -> bool:
        node = self._project.calls.definition_of(function)
        return node is not None and any(
            obstacle.kind == "value" and not is_test_file(obstacle.place.path)
            for obstacle in self._project.calls.callers_of(*node).obstacles
        )

    def outside_of_loop(self, function: FunctionPlace) -> Place | None:
        """Return a place that shows that ``function`` may run where no loop does; else None.

        A function that nobody calls runs nowhere.
        """
        waiting = Worklist([function])
        for current in waiting:
            node = self._project.calls.definition_of(current)
            if current in self._entries.found or len(waiting.seen) > _MANY:
                return current.place
            if node is None:
                return current.place
            if isinstance(node[1], ast.AsyncFunctionDef) or self._starts(*node):
                continue
            if self._is_hidden(current):
                return current.place
            waiting += [call.caller for call in self._callers(current)]
        return None

    # ------------------------------------------------------------------------------------- parts
    def _callers(self, function: FunctionPlace) -> list[Call]:
        calls = self._project.calls.graph().callers(function)
        return [call for call in calls if not is_test_file(call.place.path)]

    def _is_hidden(self, function: FunctionPlace) -> bool:
        """Whether code other than the visible code of the program may call a function.

        Imports by others change in any case, so they decide nothing.
        """
        if function in self._entries.wrapped:
            return False
        node = self._project.calls.definition_of(function)
        told = self._entries.found.get(function, ())
        return node is not None and any(
            obstacle.kind != "outside"
            and not is_test_file(obstacle.place.path)
            and not (told and _is_told(*node, obstacle, told))
            for obstacle in self._project.calls.callers_of(*node).obstacles
        )

    def _starts(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether an application calls a function in its loop, when it starts or ends."""
        return any(
            item.function is not None and same_node(module, node, item.module, item.function)
            for item in self._project.web.registrations.all
        )

    def _is_under_main(self, call: Call) -> bool:
        return any(begins_process(*pair) for pair in self._project.calls_at(call.place))


def _is_told(
    module: Module,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    obstacle: Obstacle,
    entries: Sequence[EntryPoint],
) -> bool:
    """Whether what may hide calls of an entry point is what makes it one, or gives it a name."""
    place = obstacle.place
    in_decorator = place.path == module.path and any(
        module.span(decorator).contains(place.span) for decorator in node.decorator_list
    )
    is_setting = not place.path.endswith(".py")
    return in_decorator or is_setting or place in [entry.at for entry in entries]

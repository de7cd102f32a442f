"""Ways on which a coroutine comes to a blocking call through functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.asyncio.blocking_call.calls import calls_in_functions
from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_DEEPEST = 4  # calls; of longer ways a reader no longer believes that all are taken
_MOST_FUNCTIONS = 2000  # that lead to a blocking call; each is a few questions of the graph
_PLAIN_DECORATORS = {
    "cache", "callback", "classmethod", "final", "lru_cache", "override", "staticmethod",
}  # fmt: skip
_ASKS_FOR_A_LOOP = (b"get_running_loop", b"is_running", b"current_task", b"get_event_loop")


class Way(NamedTuple):
    """The calls from a coroutine down to a blocking one; ``name`` is what that calls."""

    name: str
    places: tuple[Place, ...]


class WaysToBlocking:
    """The ways of one program, found from the blocking calls upwards, the shortest first."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: set[tuple[str, int]] = set()

    def all(self) -> Iterator[tuple[Module, ast.Call, Way]]:
        """Yield the calls in coroutines that lead to a blocking one, each once."""
        project = self._project
        level = self._blocking_functions() if project.files_with((b"async def",)) else {}
        if not level:
            return
        graph = project.calls.graph()
        found: set[Place] = set()
        for _ in range(_DEEPEST):
            calls = [
                (call, function, way)
                for function, way in level.items()
                for call in graph.callers(function)
                # Of the others it is not certain that they come here.
                if call.kind in {"one", "class"} and call.place not in found
            ]
            level = {}
            # In the order of files, so that each is parsed once.
            for call, function, way in sorted(calls, key=lambda one: one[0].place):
                home = project.module(call.place.path)
                nodes = home.calls_at(call.place.span) if home is not None else []
                if home is None or not nodes or is_around_tests(home.path):
                    continue
                if home.enclosing_coroutine(nodes[0]) is not None:
                    found.add(call.place)
                    yield home, nodes[0], way
                elif self._is_followed(home, nodes[0]):
                    level.setdefault(call.caller, _longer(call, function, way))
            if len(self._seen) > _MOST_FUNCTIONS:
                return

    def _blocking_functions(self) -> dict[FunctionPlace, Way]:
        found: dict[FunctionPlace, Way] = {}
        for module in modules_with(self._project, (b"def ",), is_around_tests):
            for function, blocking in calls_in_functions(self._project, module):
                if self._is_followed(module, blocking.call):
                    start = module.span(function).start
                    place = FunctionPlace(module.path, start, module.qualname(function))
                    note = f"calls `{blocking.name}`"
                    found[place] = Way(blocking.name, (module.place(blocking.call, note),))
        return found

    def _is_followed(self, module: Module, call: ast.Call) -> bool:
        """Whether whoever calls the function around ``call`` makes this call, and for sure.

        Not in a generator or a lambda, nor where a decorator may have it run elsewhere, or where
        the function asks whether a loop is running. True only once for each function.
        """
        function = module.enclosing_function(call)
        if not isinstance(function, ast.FunctionDef) or module.is_generator(function):
            return False
        span = module.span(function)
        key = (module.path, span.start)
        decorators = {last_name(without_arguments(one)) for one in function.decorator_list}
        text = module.source.text[span.start : span.end]
        if key in self._seen or not decorators <= _PLAIN_DECORATORS:
            return False
        if any(word in text for word in _ASKS_FOR_A_LOOP):
            return False
        self._seen.add(key)
        return True


def _longer(call: Call, function: FunctionPlace, way: Way) -> Way:
    note = f"calls `{function.qualname.rpartition('.')[2]}`"
    return Way(way.name, (Place(call.place.path, call.place.span, note), *way.places))

"""Ways from coroutines over plain functions to calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Place
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project

_DEEPEST = 2  # calls; on longer ways most readers found a condition that is never met
_MOST_FUNCTIONS = 2000  # that lead to such a call; each is a few questions of the graph
_PLAIN_DECORATORS = {
    "cache", "callback", "classmethod", "final", "lru_cache", "override", "staticmethod",
}  # fmt: skip
_ASKS_FOR_A_LOOP = (b"get_running_loop", b"is_running", b"current_task", b"get_event_loop")


class Way(NamedTuple):
    """The calls from a coroutine down to the last one; ``name`` is what that calls."""

    name: str
    places: tuple[Place, ...]


class WaysFromCoroutines:
    """The ways of one program, found from their last calls upwards, the shortest first.

    They go over calls of which it is certain what they reach, and that are made in any case where
    the function is called: not through generators and lambdas, decorators that may have a function
    run elsewhere, and functions that ask whether a loop is running. Tests are left out.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: set[tuple[str, int]] = set()

    def to(
        self, ends: Iterable[tuple[Module, ast.Call, str]]
    ) -> Iterator[tuple[Module, ast.Call, Way]]:
        """Yield the calls in coroutines that lead to one of ``ends``, each call once.

        The ends are calls in plain functions, each with the name of what it calls. The call graph
        is only made where there is one.
        """
        project = self._project
        level = self._beginnings(ends) if project.files_with((b"async def",)) else {}
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

    def _beginnings(self, ends: Iterable[tuple[Module, ast.Call, str]]) -> dict[FunctionPlace, Way]:
        found: dict[FunctionPlace, Way] = {}
        for module, call, name in ends:
            function = module.enclosing_function(call)
            if isinstance(function, ast.FunctionDef) and self._is_followed(module, call):
                start = module.span(function).start
                place = FunctionPlace(module.path, start, module.qualname(function))
                found[place] = Way(name, (module.place(call, f"calls `{name}`"),))
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

"""The boundaries of a component: who awaits its functions, and what stays plain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import Shared
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import Decorators
from awaken.contract import OutlineRow, Place
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_ENTRIES = {
    "command": "a command: stays synchronous, and runs a coroutine function",
    "process": "the target of a process: stays synchronous, and runs a coroutine function",
    "factory": "a factory of the application: stays synchronous, and waits for a thread",
    "server": "a server: stays synchronous, and runs a coroutine function before it serves",
    "consumer": "a message consumer: stays synchronous, and runs a coroutine function",
    "task": "a worker's task: stays synchronous, and runs a coroutine function",
    "own-loop": "named in the option `bridged`: stays synchronous, and waits in its own thread",
}
_CALLED_INSIDE = "stays synchronous, and `run_sync` calls it with the session"
_TAKING = {
    "Depends": "awaited by FastAPI as a dependency",
    "Security": "awaited by FastAPI as a dependency",
    "add_task": "awaited by FastAPI as a background task",
    "BackgroundTask": "awaited by Starlette as a background task",
}


class Boundaries:
    """Finds the boundaries of parts of one program; ``shared`` are the engines and factories.

    Functions ``inside`` of synchronous sessions stay plain.
    """

    def __init__(self, part: SynchronousPart, shared: Mapping[str, Shared], inside: Inside) -> None:
        self._part = part
        self._inside = inside
        self._shared = shared
        self._decorators = Decorators(part)

    def rows(
        self,
        functions: Sequence[FunctionPlace],
        pieces: Collection[Piece],
        using: Collection[str],
    ) -> tuple[OutlineRow, ...]:
        """Return a row for each kind of boundary of a part, those of most functions first.

        ``functions`` are those of its ``pieces`` that become asynchronous, ``using`` the engines
        and factories that they use.
        """
        result: defaultdict[str, list[Place]] = defaultdict(list)
        for function in functions:
            for kind, place in self._absorbed_pairs(function):
                result[kind].append(place)
        for function, entries in self._part.entry_points.found.items():
            kind = _ENTRIES.get(entries[0].kind, "")
            if kind and Piece(*function) in pieces and self._part.waits(function):
                result[kind].append(function.place)
        for place in self._inside.calls:
            if any(piece.path == place.path for piece in pieces):
                result[_CALLED_INSIDE].append(place)
        for name in sorted(using):
            shared = self._shared.get(name)
            if shared is not None and shared.kept:
                result[f"stays synchronous, with `{shared.name}`"] += shared.kept
        ordered = sorted(result.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        return tuple(OutlineRow(kind, len(places), min(places)) for kind, places in ordered)

    def _absorbed_pairs(self, function: FunctionPlace) -> Iterator[tuple[str, Place]]:
        """Yield who awaits a function that nothing in the program has to."""
        module, node = self._part.node_of(function) or (None, None)
        if module is None or node is None:
            return
        if any(self._decorators.registers(module, decorator) for decorator in node.decorator_list):
            yield "awaited by FastAPI as an endpoint or a handler", function.place
        elif is_test_file(function.path) and _is_for_pytest(node):
            yield "awaited by a pytest plug-in as a test or a fixture", function.place
        names = {
            name
            for component in self._part.project.calls.passed_functions().components_of(function)
            for place in component.absorbed
            for name in self._taking(place)
        }
        for kind in sorted({_TAKING[name] for name in names if name in _TAKING}):
            yield kind, function.place

    def _taking(self, place: Place) -> Iterator[str]:
        for _, call in self._part.project.calls_at(place):
            yield last_name(call.func)


def _is_for_pytest(node: Function) -> bool:
    return node.name.startswith("test") or bool(node.decorator_list)

"""What a component comes to, in lines that one can read: the plan that every output begins with."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.component import piece_with
from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.components.shared import Shared
from awaken.codemods.sqlalchemy.session_to_async.functions.decorators import Decorators
from awaken.contract import ChangeId, Outline, OutlinePart, OutlineRow, Place, Span
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Rewrite
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart

_MADE = {
    "create_engine": "engine",
    "sessionmaker": "session factory",
    "scoped_session": "scoped session",
    "Session": "session",
}
"""What calls of the synchronous names make."""

_ENTRIES = {
    "command": "plain as a command, and runs a coroutine function",
    "process": "plain as the target of a process, and runs a coroutine function",
    "consumer": "plain as a consumer of messages, and runs a coroutine function",
    "task": "plain as a task of a worker, and runs a coroutine function",
}
_NAME = re.compile(r"`[^`]*`")
_RENAMED = re.compile(r"`[^`]*` becomes `[^`]*`")
_TAKING = {
    "Depends": "awaited by FastAPI as a dependency",
    "Security": "awaited by FastAPI as a dependency",
    "add_task": "awaited by FastAPI as a background task",
    "BackgroundTask": "awaited by Starlette as a background task",
}


@dataclass(frozen=True, slots=True)
class Stopping:
    """A member that stops a component, why, and the functions that it ``reach``es by calls."""

    member: Member
    refused: Refused
    reach: frozenset[Piece]


class Outlines:
    """Makes the outlines of one program.

    ``resources`` says what the sites name that name the synchronous side, ``shared`` are the
    engines and factories that join nobody.
    """

    def __init__(
        self,
        part: SynchronousPart,
        rule: str,
        resources: Iterable[tuple[Member, str]],
        shared: Mapping[str, Shared],
    ) -> None:
        self._part = part
        self._rule = rule
        self._named = {member.site.id: name for member, name in resources}
        self._shared = shared
        self._decorators = Decorators(part)

    def made(
        self,
        pieces: Collection[Piece],
        members: Sequence[Member],
        change: ChangeId,
        using: Collection[str],
    ) -> Outline:
        """Return what a change of ``pieces`` comes to; ``using`` are engines that they use."""
        functions = self._coloured(pieces)
        number, files = len(functions), len({one.path for one in functions})
        title = f"{_many(number, 'function')} in {_many(files, 'file')} become asynchronous"
        parts = (
            self._seeds(functions, members),
            *_by_file(functions),
            OutlinePart("boundaries", "Boundaries", tuple(self._boundaries(functions, using))),
            OutlinePart("beside", "Other places", tuple(self._beside(functions, members))),
            OutlinePart("caveats", "What may change", tuple(_caveats(members))),
        )
        sites = tuple(one.site.id for one in members)
        shown = tuple(one for one in parts if one.rows)
        return Outline(rule=self._rule, title=title, parts=shown, sites=sites, change=change)

    def stopping(self, pieces: Iterable[Piece], members: Iterable[Member]) -> list[Stopping]:
        """Return those of ``members`` that are refused, what stops most of ``pieces`` first."""
        functions = self._coloured(pieces)
        found = [
            Stopping(one, one.outcome, self._reach(one, functions))
            for one in members
            if isinstance(one.outcome, Refused)
        ]
        return sorted(found, key=lambda one: (-len(one.reach), one.member.site.place))

    def refused(
        self, pieces: Collection[Piece], members: Sequence[Member], stopping: Sequence[Stopping]
    ) -> Outline:
        """Return what stops a component."""
        functions = self._coloured(pieces)
        stay = "stays" if len(functions) == 1 else "stay"
        places = _many(len(stopping), "place")
        title = f"{_many(len(functions), 'function')} {stay} synchronous because of {places}"
        rows = [OutlineRow(_told(one), len(one.reach), one.member.site.place) for one in stopping]
        stops = OutlinePart("stops", "Stopped by", tuple(rows), len(rows))
        sites = tuple(one.site.id for one in members)
        parts = (stops, *_by_file(functions))
        return Outline(rule=self._rule, title=title, parts=parts, sites=sites)

    def has_functions(self, pieces: Iterable[Piece]) -> bool:
        """Whether a function is among ``pieces`` that has to become asynchronous."""
        return bool(self._coloured(pieces))

    def _coloured(self, pieces: Iterable[Piece]) -> list[FunctionPlace]:
        found = {FunctionPlace(*one) for one in pieces}
        return sorted(found & self._part.steps.keys())

    # -------------------------------------------------------------------------------------- seeds
    def _seeds(self, functions: Sequence[FunctionPlace], members: Iterable[Member]) -> OutlinePart:
        made: defaultdict[str, list[Place]] = defaultdict(list)
        for member in members:
            above = member.site.module.parent(member.site.node)
            kind = _MADE.get(self._named.get(member.site.id, "").rpartition(".")[2])
            is_made = isinstance(above, ast.Call) and above.func is member.site.node
            if kind is not None and is_made and not is_test_file(member.site.place.path):
                made[kind].append(member.site.place)
        rows = [
            OutlineRow(_plural(kind, len(made[kind])), len(made[kind]), min(made[kind]))
            for kind in _MADE.values()
            if made[kind]
        ]
        waiting = [one for one in functions if self._part.steps[one].to is None]
        own = [one for one in waiting if not is_test_file(one.path)]
        if own:
            place = self._part.steps[own[0]].at
            uses = "uses a session itself" if len(own) == 1 else "use a session themselves"
            text = f"{_plural('function', len(own))} of the program that {uses}"
            rows.append(OutlineRow(text, len(own), place))
        if len(waiting) > len(own):
            number = len(waiting) - len(own)
            text = f"{_plural('function', number)} of tests that {'does' if number == 1 else 'do'}"
            rows.append(OutlineRow(text, number))
        return OutlinePart("seeds", "Begins with", tuple(rows))

    # --------------------------------------------------------------------------------- boundaries
    def _boundaries(
        self, functions: Sequence[FunctionPlace], using: Collection[str]
    ) -> Iterator[OutlineRow]:
        found: defaultdict[str, list[Place]] = defaultdict(list)
        for function in functions:
            for kind, place in self._absorbed(function):
                found[kind].append(place)
        for function, entries in self._part.entry_points.found.items():
            kind = _ENTRIES.get(entries[0].kind, "")
            if kind and self._part.waits(function):
                found[kind].append(_place(function))
        for name in sorted(using):
            shared = self._shared.get(name)
            for place in () if shared is None else shared.kept:
                found[f"uses of `{shared.name if shared else name}` that stay synchronous"].append(
                    place
                )
        for kind, places in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])):
            yield OutlineRow(kind, len(places), min(places))

    def _absorbed(self, function: FunctionPlace) -> Iterator[tuple[str, Place]]:
        """Yield who awaits a function that nothing in the program has to."""
        module, node = self._part.node_of(function) or (None, None)
        if module is None or node is None:
            return
        if any(self._decorators.registers(module, one) for one in node.decorator_list):
            yield "awaited by FastAPI as an endpoint or a handler", _place(function)
        elif is_test_file(function.path) and _is_for_pytest(node):
            yield "awaited by a plug-in of pytest as a test or a fixture", _place(function)
        names = {
            name
            for component in self._part.project.calls.handed_on().of(function)
            for place in component.absorbed
            for name in self._taking(place)
        }
        for kind in sorted({_TAKING[name] for name in names if name in _TAKING}):
            yield kind, _place(function)

    def _taking(self, place: Place) -> Iterator[str]:
        module: Module | None = self._part.project.module(place.path)
        for call in () if module is None else module.calls_at(place.span):
            name = call.func
            yield name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")

    # ------------------------------------------------------------------------------- other places
    def _beside(
        self, functions: Sequence[FunctionPlace], members: Iterable[Member]
    ) -> Iterator[OutlineRow]:
        starts = {(one.path, one.start) for one in functions}
        found: defaultdict[str, list[tuple[Place, str]]] = defaultdict(list)
        for member in members:
            piece = piece_with(member)
            is_whole = piece.start == member.site.place.span.start
            if isinstance(member.outcome, Rewrite) and not (
                is_whole and (piece.path, piece.start) in starts
            ):
                message = member.outcome.message
                found[_kind(message)].append((member.site.place, message))
        for kind, told in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])):
            place, message = min(told)
            others = "" if kind == message or len(told) == 1 else f", and {len(told) - 1} like it"
            yield OutlineRow(f"{message}{others}", len(told), place)

    # ---------------------------------------------------------------------------------- refusals
    def _reach(self, member: Member, functions: Sequence[FunctionPlace]) -> frozenset[Piece]:
        """Return the functions that call what is refused, or are called by it, over others too.

        It is one of them itself.
        """
        start = FunctionPlace(*piece_with(member))
        inside = {*functions, start}
        found = {start}
        for links in self._links:
            waiting, seen = [start], {start}
            while waiting:
                fresh = (links.get(waiting.pop(), set()) & inside) - seen
                seen |= fresh
                waiting += fresh
            found |= seen
        return frozenset(Piece(*one) for one in found)

    @cached_property
    def _links(self) -> tuple[dict[FunctionPlace, set[FunctionPlace]], ...]:
        """The calls of coloured functions, down and up."""
        down: dict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        up: dict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        for caller, calls in self._part.calls.items():
            for call in calls:
                for function in call.functions:
                    down[caller].add(function)
                    up[function].add(caller)
        return down, up


def _by_file(functions: Iterable[FunctionPlace]) -> Iterator[OutlinePart]:
    """Yield the functions by file, those of the program and those of its tests apart."""
    counted = Counter(one.path for one in functions)
    for key, heading, of_tests in (("functions", "Functions", False), ("tests", "Tests", True)):
        rows = tuple(
            OutlineRow("", counted[path], Place(path, Span(0, 0)))
            for path in sorted(counted)
            if is_test_file(path) is of_tests
        )
        if rows:
            yield OutlinePart(key, heading, rows, sum(row.count for row in rows))


def _caveats(members: Iterable[Member]) -> Iterator[OutlineRow]:
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for member in members:
        for caveat in member.outcome.caveats if isinstance(member.outcome, Rewrite) else ():
            found[caveat].append(member.site.place)
    for caveat, places in sorted(found.items(), key=lambda one: min(one[1])):
        yield OutlineRow(caveat, len(places), min(places))


def _told(stopping: Stopping) -> str:
    """Return why a place is refused, with the function that it stands in."""
    name, message = piece_with(stopping.member).name, stopping.refused.message
    return message if not name or f"`{name}`" in message else f"`{name}`: {message}"


def _kind(message: str) -> str:
    """Return a message without the names in it; those of classes are the same everywhere."""
    return message if _RENAMED.fullmatch(message) else _NAME.sub("`...`", message)


def _is_for_pytest(node: Function) -> bool:
    return node.name.startswith("test") or bool(node.decorator_list)


def _place(function: FunctionPlace) -> Place:
    return Place(function.path, Span(max(function.start, 0), max(function.start, 0)))


def _many(number: int, noun: str) -> str:
    return f"{number:,} {_plural(noun, number)}"


def _plural(noun: str, number: int) -> str:
    if number == 1:
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"

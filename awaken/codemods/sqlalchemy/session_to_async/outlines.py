"""The effect of a component, in lines that people can read: the plan at the top of every output."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import Shared
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import piece_with
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import Decorators
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.unresolved import unknown_behind
from awaken.contract import ChangeId, Outline, OutlinePart, OutlineRow, Place, SiteId, Span
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Rewrite
from awaken.knowledge.library_names import name_table
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import multimap, reachable
from awaken.project.values.domain import Unknown

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
_MADE = name_table("made_by")
_OF_OBJECTS = (reasons.UNKNOWN_CALL, reasons.UNKNOWN_CLIENT, reasons.UNKNOWN_SESSION)
"""What is said of calls whose object is not known."""
_NAME = re.compile(r"`[^`]*`")
_RENAMED = re.compile(r"`[^`]*` becomes `[^`]*`")


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


class Stopping(Struct, frozen=True):
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
        inside: Inside,
    ) -> None:
        self._part = part
        self._rule = rule
        self._named = {member.site.id: name for member, name in resources}
        self._boundaries = Boundaries(part, shared, inside)

    def outline_of_change(
        self,
        pieces: Collection[Piece],
        members: Sequence[Member],
        change: ChangeId,
        using: Collection[str],
    ) -> Outline:
        """Return what a change of ``pieces`` comes to; ``using`` are engines that they use."""
        functions = self._coloured_functions(pieces)
        number, files = len(functions), len({function.path for function in functions})
        title = f"{_many(number, 'function')} in {_many(files, 'file')} become asynchronous"
        parts = (
            self._seeds(functions, members),
            *_by_file(functions),
            OutlinePart(
                "boundaries", "Boundaries", self._boundaries.rows(functions, pieces, using)
            ),
            OutlinePart("beside", "Other places", tuple(self._rows_of_members(functions, members))),
            OutlinePart("caveats", "What may change", tuple(_caveats(members))),
        )
        sites = tuple(member.site.id for member in members)
        shown = tuple(part for part in parts if part.rows)
        return Outline(rule=self._rule, title=title, parts=shown, sites=sites, change=change)

    def stopping(self, pieces: Iterable[Piece], members: Iterable[Member]) -> list[Stopping]:
        """Return those of ``members`` that are refused, what stops most of ``pieces`` first."""
        functions = self._coloured_functions(pieces)
        obstacles = [
            Stopping(member, member.outcome, self._reach(member, functions))
            for member in members
            if isinstance(member.outcome, Refused)
        ]
        return sorted(obstacles, key=lambda item: (-len(item.reach), item.member.site.place))

    def outline_of_obstacles(
        self, pieces: Collection[Piece], members: Sequence[Member], stopping: Sequence[Stopping]
    ) -> Outline:
        """Return what stops a component."""
        functions = self._coloured_functions(pieces)
        rows = [*self._rows_of_causes(stopping)]
        keep = "keeps" if len(rows) == 1 else "keep"
        kept = _many(len(functions), "function")
        title = f"{_many(len(rows), 'cause')} {keep} {kept} synchronous"
        stops = OutlinePart("stops", "Stopped by", tuple(rows), len(rows))
        sites = tuple(member.site.id for member in members)
        parts = (stops, *_by_file(functions))
        return Outline(rule=self._rule, title=title, parts=parts, sites=sites)

    def outline_without_members(self, wanted: str, sites: Iterable[SiteId]) -> Outline:
        """Return the outline of a component without members."""
        title = f"no function that would become asynchronous is named `{wanted}`"
        return Outline(rule=self._rule, title=title, parts=(), sites=tuple(sites))

    def has_functions(self, pieces: Iterable[Piece]) -> bool:
        """Whether a function is among ``pieces`` that has to become asynchronous."""
        return bool(self._coloured_functions(pieces))

    def _coloured_functions(self, pieces: Iterable[Piece]) -> list[FunctionPlace]:
        functions = {FunctionPlace(*piece) for piece in pieces}
        return sorted(functions & self._part.steps.keys())

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
        waiting = [function for function in functions if self._part.steps[function].to is None]
        own = [function for function in waiting if not is_test_file(function.path)]
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

    # ------------------------------------------------------------------------------- other places
    def _rows_of_members(
        self, functions: Sequence[FunctionPlace], members: Iterable[Member]
    ) -> Iterator[OutlineRow]:
        starts = {(function.path, function.start) for function in functions}
        result: defaultdict[str, list[tuple[Place, str]]] = defaultdict(list)
        for member in members:
            piece = piece_with(member)
            is_whole = piece.start == member.site.place.span.start
            if isinstance(member.outcome, Rewrite) and not (
                is_whole and (piece.path, piece.start) in starts
            ):
                message = member.outcome.message
                result[_kind(message)].append((member.site.place, message))
        for kind, told in sorted(result.items(), key=lambda pair: (-len(pair[1]), pair[0])):
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

        def reachable_inside(
            links: Mapping[FunctionPlace, set[FunctionPlace]],
        ) -> set[FunctionPlace]:
            return reachable([start], lambda item: links.get(item, set()) & inside)

        result = {start}.union(*map(reachable_inside, self._links))
        return frozenset(Piece(*function) for function in result)

    def _rows_of_causes(self, stopping: Sequence[Stopping]) -> Iterator[OutlineRow]:
        """Yield a row for each cause.

        Calls of one unknown object are one cause, and so is all that one rule rewrites first.
        """
        causes: dict[object, tuple[Unknown | None, list[Stopping]]] = {}
        for number, obstacle in enumerate(stopping):
            unknown = self._unknown(obstacle)
            key = unknown or obstacle.refused.reason.mended_by or number
            _, held = causes.setdefault(key, (unknown, []))
            held.append(obstacle)
        rows = [_row(unknown, held) for unknown, held in causes.values()]
        return iter(sorted(rows, key=lambda row: -row.count))

    def _unknown(self, stopping: Stopping) -> Unknown | None:
        if stopping.refused.reason not in _OF_OBJECTS:
            return None
        places = (*stopping.refused.because, stopping.member.site.place)
        return unknown_behind(self._part.project, places)

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
    counted = Counter(function.path for function in functions)
    for key, heading, of_tests in (("functions", "Functions", False), ("tests", "Tests", True)):
        rows = tuple(
            OutlineRow("", counted[path], Place(path, Span(0, 0)))
            for path in sorted(counted)
            if is_test_file(path) is of_tests
        )
        if rows:
            yield OutlinePart(key, heading, rows, sum(row.count for row in rows))


def _caveats(members: Iterable[Member]) -> Iterator[OutlineRow]:
    written = ((item, item.outcome) for item in members if isinstance(item.outcome, Rewrite))
    result = multimap((text, item.site.place) for item, made in written for text in made.caveats)
    for caveat, places in sorted(result.items(), key=lambda pair: min(pair[1])):
        yield OutlineRow(caveat, len(places), min(places))


def _row(unknown: Unknown | None, stopping: Sequence[Stopping]) -> OutlineRow:
    first, *others = stopping
    if not others:
        return OutlineRow(_told_text(first), len(first.reach), first.member.site.place)
    reach = frozenset().union(*(obstacle.reach for obstacle in stopping))
    if unknown is None:
        message, rule = first.refused.message, first.refused.reason.mended_by
        text = f"{message} at {len(stopping)} places: run `{rule}` first"
        return OutlineRow(text, len(reach), first.member.site.place)
    text = f"{unknown.why}, and {len(stopping)} places use it"
    return OutlineRow(text, len(reach), unknown.place)


def _told_text(stopping: Stopping) -> str:
    """Return why a place is refused, with the function that contains it."""
    name, message = piece_with(stopping.member).name, stopping.refused.message
    return message if not name or f"`{name}`" in message else f"`{name}`: {message}"


def _kind(message: str) -> str:
    """Return a message without the names in it; those of classes are the same everywhere."""
    return message if _RENAMED.fullmatch(message) else _NAME.sub("`...`", message)


def _many(number: int, noun: str) -> str:
    return f"{number:,} {_plural(noun, number)}"


def _plural(noun: str, number: int) -> str:
    if number == 1:
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"

"""The events between two places of a function: what may happen on a way from one to the other.

For objects that a session loaded: commit, rollback, expiry, closing, and ``await``, at which other
code runs. Functions that are called are followed; each has one summary.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.sessions import SessionEvent, session_events
from awaken.project.effects.construction import Constructions
from awaken.project.effects.coroutines.awaitables import Awaitables
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.effects.places.while_running import ByName
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda, arguments_of
from awaken.project.source.worklist import MOST_FUNCTIONS, MOST_NODES, multimap, reachable
from awaken.project.values.domain import FunctionOf, Producer, Session, Unknown
from awaken.project.values.local.control import ControlGraph, parts_of

Key = TypeVar("Key", bound=Hashable)
EventKind = SessionEvent | Literal["add", "await", "yield", "unknown"]

_WITHOUT_ARGUMENTS = {"close", "commit", "rollback"}
_WITHS = (ast.AsyncWith, ast.With)
_JUMPS = (ast.Break, ast.Continue, ast.Return)
_MARKED = (ast.AsyncFor, ast.Await, ast.Call, ast.ListComp, ast.DictComp, ast.SetComp, ast.Yield,
           ast.YieldFrom, *_WITHS, *_JUMPS)  # fmt: skip


class Event(Struct, frozen=True):
    """Something that may happen: ``kind``, ``place``, and the calls that lead there.

    Only callers that know a new object report ``add``: it may get into a session.

    ``unknown`` is a call with unknown effects; ``why`` explains it.
    """

    kind: EventKind
    place: Place
    why: str = ""
    chain: tuple[Place, ...] = ()


class Between:
    """Answers for one project; keeps nothing between questions but the summaries of one."""

    def __init__(self, evaluator: ProgramEvaluator, awaitables: Awaitables) -> None:
        self._evaluator = evaluator
        self._awaitables = awaitables
        self._constructions = Constructions(evaluator)
        self._known = session_events()
        self._named = ByName(evaluator)
        self._summaries: dict[tuple[str, int], tuple[Event, ...]] = {}
        self._active: list[tuple[str, int]] = []

    def events_between(
        self, module: Module, earlier: ast.expr, later: ast.expr
    ) -> tuple[Event, ...]:
        """Return what may happen after ``earlier`` was evaluated and before ``later`` is.

        In the order of the source. Both are in one function; else it is unknown.
        """
        function = module.enclosing_function(earlier)
        if function is None or function is not module.enclosing_function(later):
            return (self._unknown(module, later, "the two are in different functions"),)
        return self.part(module, function, earlier, later) or ()

    def part(
        self,
        module: Module,
        function: FunctionOrLambda,
        earlier: ast.expr | None,
        later: ast.expr | None,
    ) -> tuple[Event, ...] | None:
        """Return what may happen in one run of ``function`` between two of its expressions.

        None for ``earlier`` means its entry, for ``later`` its ways out: that it returns, yields or
        ends. None is returned where no way leads from the one to the other.
        """
        self._summaries.clear()
        above = module.parent(earlier)
        start = above if isinstance(above, ast.Await) else earlier
        nodes = list(own_nodes(what_runs(function)))
        asked = later or earlier or function
        if len(nodes) > MOST_NODES:
            why = "the function is too large to follow"
            return (self._unknown(module, asked, why),)
        ends = {node for node in (start, later) if node is not None}
        if not ends <= set(nodes):
            why = "one of the two runs at another time than the function"
            return (self._unknown(module, asked, why),)
        graph = EventGraph(module, function, ends)
        between = graph.nodes_between(start, later)
        if between is None:
            return None
        events = [event for node in between for event in self._events_at(module, node)]
        return tuple(dict.fromkeys(events))

    def _unknown(self, module: Module, node: ast.AST, why: str) -> Event:
        return Event("unknown", module.place(node), why)

    # ------------------------------------------------------------------------- what a node does
    def _events_at(self, module: Module, node: ast.AST) -> Iterator[Event]:
        """Yield the events of one node, its parts aside."""
        match node:
            case ast.Call():
                yield from self._of_call(module, node)
            case ast.Await() | ast.AsyncFor():
                yield Event("await", module.place(node))
            case ast.ListComp() | ast.DictComp() | ast.SetComp():
                if any(generator.is_async for generator in node.generators):
                    yield Event("await", module.place(node))
            case ast.Yield() | ast.YieldFrom():
                yield Event("yield", module.place(node))
            case _:
                for block in _blocks_left(module, node):
                    yield from self._leaving(module, block)

    def _leaving(self, module: Module, node: ast.With | ast.AsyncWith) -> Iterator[Event]:
        """Yield what leaving the block may do, and entering it, of which nothing else is known."""
        place = module.place(node)
        if isinstance(node, ast.AsyncWith):
            yield Event("await", place)
        for item in node.items:
            context = item.context_expr
            names = self._names(module, context)
            if isinstance(names, tuple) and any(name in self._known.blocks for name in names):
                yield from (Event(self._known.blocks[name], place) for name in names)
                continue
            for value in self._evaluator.values(module, context):
                match value:
                    case Session():
                        yield Event("close", place)
                    case Producer(how="manager", inner=inner) if any(
                        isinstance(alternative, Session) for alternative in inner
                    ):
                        # ``maker.begin()``
                        yield Event("commit", place)
                        yield Event("close", place)
                    case Unknown():
                        yield Event("unknown", place, value.why)

    def _names(self, module: Module, node: ast.expr) -> tuple[str, ...] | Unknown:
        if not isinstance(node, ast.Call):
            return ()
        return self._awaitables.library_names(module, node)

    def _of_call(self, module: Module, call: ast.Call) -> Iterator[Event]:
        place = module.place(call)
        names = self._names(module, call)
        if isinstance(names, Unknown):
            yield from self._by_name(module, call, names.why)
        elif names:
            if any(name.startswith(self._known.running) for name in names):
                yield Event("unknown", place, f"`{names[0]}` runs code of the program")
            events = [self._known.calls[name] for name in names if name in self._known.calls]
            yield from (Event(event, place) for event in events)
            if not events and self._gets_a_session(module, call, names):
                yield Event(
                    "unknown", place, f"awaken does not know how `{names[0]}` uses a session"
                )
        else:
            yield from self._of_own(module, call)

    def _gets_a_session(self, module: Module, call: ast.Call, names: Iterable[str]) -> bool:
        """Whether a library function, no method of sessions and no builtin, is passed one."""
        owners = {name.rpartition(".")[0] for name in names}
        if owners & self._known.classes or owners == {"builtins"}:
            return False
        return any(
            isinstance(value, Session)
            for argument in arguments_of(call)
            if isinstance(argument, ast.Name | ast.Attribute)
            for value in self._evaluator.values(module, argument)
        )

    def _of_own(self, module: Module, call: ast.Call) -> Iterator[Event]:
        """Yield what calling a function or class of the project does."""
        called = functions_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            made = self._constructions.at_call(module, call)
            # A library that makes an object without a session changes none.
            if made is not None and made.outside and self._gets_a_session(module, call, ()):
                made = None
            if (made is None or made.why) and not self._makes_a_session(module, call):
                yield from self._by_name(module, call, called.why)
            called = () if made is None else made.runs
        real = [item for item in called if not is_stub(self._evaluator, item.module, item.function)]
        if called and not real:
            why = f"the implementation of `{called[0].function.name}` is unknown"
            yield self._unknown(module, call, why)
        is_awaited = isinstance(module.parent(call), ast.Await)
        for callee in real:
            # Making a coroutine runs none of it.
            if is_awaited or not isinstance(callee.function, ast.AsyncFunctionDef):
                for event in self._summary(callee.module, callee.function):
                    yield replace(event, chain=(module.place(call), *event.chain))

    def _by_name(self, module: Module, call: ast.Call, why: str) -> Iterator[Event]:
        """Yield what a method of an unknown receiver may do: of any class that has one.

        Where the program has none of the name, a library is called.
        """
        place, method = module.place(call), call.func
        if not isinstance(method, ast.Attribute) or self._may_call(module, call):
            yield Event("unknown", place, why)
            return
        known = self._known.methods.get(method.attr)
        # ``file.close()`` may be meant as well; ``list.remove(x)`` certainly is no registry.
        if known is not None and (not call.args or known not in _WITHOUT_ARGUMENTS):
            yield Event(known, place)
        functions = self._named.functions(method.attr)
        if functions is None:
            yield Event("unknown", place, why)
        for home, function in functions or ():
            for event in self._summary(home, function):
                yield replace(event, chain=(place, *event.chain))

    def _may_call(self, module: Module, call: ast.Call) -> bool:
        """Whether a call is given what may change a session: one, or a function of the program.

        So does a test client, which runs the whole application.
        """
        receiver = module.text_of(call.func).lower().rpartition(".")[0]
        if receiver.endswith(("client", "runner")) or self._gets_a_session(module, call, ()):
            return True
        return any(
            isinstance(value, FunctionOf)
            for argument in arguments_of(call)
            if isinstance(argument, ast.Name | ast.Lambda)
            for value in self._evaluator.values(module, argument)
        )

    def _makes_a_session(self, module: Module, call: ast.Call) -> bool:
        values = self._evaluator.values(module, call)
        return all(isinstance(value, Session) for value in values)

    def _summary(self, module: Module, function: Function) -> tuple[Event, ...]:
        """Return the effects of a call of ``function``; in a circle, those of its other parts."""
        key = module.key_of(function)
        if key in self._summaries or key in self._active:
            return self._summaries.get(key, ())
        if len(self._active) + len(self._summaries) >= MOST_FUNCTIONS:
            return (self._unknown(module, function, "too much has to be followed to tell"),)
        self._active.append(key)
        result: dict[tuple[EventKind, Place], Event] = {}
        for node in own_nodes(function.body):
            for event in () if isinstance(node, _JUMPS) else self._events_at(module, node):
                # That it awaits is said of the `await` of its caller. There may be as many chains
                # to one place as paths, so the first one is kept.
                if event.kind != "await":
                    result.setdefault((event.kind, event.place), event)
        self._active.pop()
        self._summaries[key] = tuple(result.values())
        return self._summaries[key]


def _blocks_left(module: Module, node: ast.AST) -> Iterator[ast.With | ast.AsyncWith]:
    """Yield the ``with`` blocks left at ``node``: at its end, by a jump, or by an exception."""
    if isinstance(node, _WITHS):
        yield node
    elif isinstance(node, _JUMPS):
        yield from (above for above in module.ancestors_inside(node) if isinstance(above, _WITHS))
    elif isinstance(node, ast.ExceptHandler):
        tried = module.parent(node)
        yield from (one for one in own_nodes(getattr(tried, "body", ())) if isinstance(one, _WITHS))


class ReachedByEach(Struct, Generic[Key]):
    """The nodes that may run after others, for each of several collections of nodes to stop at.

    ``masks`` have, for each point, the bit of each collection by its number.
    """

    points_of: Mapping[ast.AST, Sequence[int]]
    masks: Sequence[int]
    numbers: Mapping[Key, int]

    def has(self, node: ast.AST, key: Key) -> bool:
        """Whether a node may run, for the collection of this key."""
        number = self.numbers[key]
        return any(self.masks[point] >> number & 1 for point in self.points_of.get(node, ()))


class EventGraph(ControlGraph):
    """The control flow of a function with a point for everything that may be an event."""

    def __init__(
        self, module: Module, function: FunctionOrLambda, also: Collection[ast.AST]
    ) -> None:
        self._also = also
        handlers = module.nodes(ast.ExceptHandler)
        self._first_of = {handler.body[0]: handler for handler in handlers}
        self.points: dict[ast.AST, list[int]] = {}
        scope: Scope = module.scopes.scope_made_by(function)
        super().__init__(parts_of(function), scope)
        self._end = self._here
        marked = ((node, point) for node, points in self.points.items() for point in points)
        named = ((node, point) for point, node in enumerate(self.events) if node is not None)
        self._points_of = multimap((*marked, *named))

    def _parts(self, node: ast.AST) -> Iterator[object]:  # type: ignore[override]
        if node in self._first_of:
            yield lambda: self._mark(self._first_of[node])
        parts = list(super()._parts(node))
        if isinstance(node, _JUMPS):
            # After the returned value, and before the exit.
            parts.insert(-1, lambda: self._mark(node))
        yield from parts
        if node in self._also or (isinstance(node, _MARKED) and not isinstance(node, _JUMPS)):
            yield lambda: self._mark(node)

    def _mark(self, node: ast.AST) -> None:
        if self._here is not None:
            self.points.setdefault(node, []).append(self._point(node))

    def nodes_between(self, earlier: ast.AST | None, later: ast.AST | None) -> list[ast.AST] | None:
        """Return the nodes on the ways from one to the other that do not pass the first again.

        None of them is the entry, or the ways out. None is returned where there is no way.
        """
        starts = [0] if earlier is None else self.points.get(earlier, [])
        ends = self._exits() if later is None else self.points.get(later, [])
        before: list[list[int]] = [[] for _ in self.after]
        for point, following in enumerate(self.after):
            for other in following:
                before[other].append(point)
        blocked = set(starts)
        onwards = _reachable_points(starts, self.after, blocked)
        if not onwards & {*ends}:
            return None
        on_way = onwards & (
            _reachable_points(ends, before, blocked) | {*(ends if later is None else ())}
        )
        nodes = [node for node, points in self.points.items() if on_way & {*points}]
        return [node for node in nodes if node is not earlier and node is not later]

    def reached_from(
        self, starts: Iterable[ast.AST], stops: Collection[ast.AST] = ()
    ) -> set[ast.AST]:
        """Return the nodes that may run after one of ``starts``, on ways that pass no ``stops``.

        Names of the function are among them, read or stored.
        """
        masks = self.reached_by_each(starts, {"": stops}).masks
        points_of = self._points_of.items()
        return {node for node, points in points_of if any(map(masks.__getitem__, points))}

    def reached_by_each(
        self, starts: Iterable[ast.AST], stops: Mapping[Key, Collection[ast.AST]]
    ) -> ReachedByEach[Key]:
        """Return the same for several collections of stops, by their keys."""
        everything = (1 << len(stops)) - 1
        blocked = [0] * len(self.after)
        for number, nodes in enumerate(stops.values()):
            for node in nodes:
                for point in self._points_of.get(node, ()):
                    blocked[point] |= 1 << number
        masks = [0] * len(self.after)
        waiting = deque(
            (following, everything)
            for start in starts
            for point in self.points.get(start, ())
            for following in self.after[point]
        )
        while waiting:
            point, mask = waiting.popleft()
            new = mask & ~(blocked[point] | masks[point])
            if new:
                masks[point] |= new
                waiting += [(following, new) for following in self.after[point]]
        numbers = {key: number for number, key in enumerate(stops)}
        return ReachedByEach(self._points_of, masks, numbers)

    def _exits(self) -> list[int]:
        """Return the points at which a caller gets something back, those of ``finally`` included.

        The caller of a generator gets something at each ``yield``.
        """
        yields = [point for point in self.points if isinstance(point, ast.Yield | ast.YieldFrom)]
        if yields:
            return [point for argument in yields for point in self.points[argument]]
        returns = [point for point in self.points if isinstance(point, ast.Return)]
        starts = [point for statement in returns for point in self.points[statement]]
        last = [] if self._end is None else [self._end]
        return [*starts, *sorted(_reachable_points(starts, self.after, ())), *last]


def _reachable_points(
    starts: Iterable[int], following: list[list[int]], blocked: Collection[int]
) -> set[int]:
    """Return the points that can be reached from ``starts`` without passing a blocked one."""
    firsts = {item for start in starts for item in following[start]}.difference(blocked)
    return reachable(
        firsts, lambda point: [each for each in following[point] if each not in blocked]
    )

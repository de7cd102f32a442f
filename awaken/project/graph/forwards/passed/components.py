"""Functions that may be called in place of each other, because they are passed to the same calls.

All that shares a value is one component: expressions, the variables, fields and results that hold
it, the functions that it may be, and the calls of it. It is found from any of them, in both
directions, so what is in it depends on no order.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct, field

from awaken.contract import Place
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import Call, CallGraph, FunctionPlace
from awaken.project.graph.forwards.passed.consumers import Consumers
from awaken.project.graph.forwards.passed.function_origins import Origins
from awaken.project.graph.forwards.passed.holding import Holding
from awaken.project.graph.forwards.passed.slots import (
    KEYS,
    End,
    Found,
    Leak,
    Slot,
    Slots,
    Spot,
    key_of,
)
from awaken.project.graph.forwards.resolving import function_around, is_use
from awaken.project.names.functions.wrapping import Wrappings
from awaken.project.names.usages import is_annotation
from awaken.project.source.f_strings import is_literal
from awaken.project.source.memo import RECORDER, Recorded, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter, last_name, without_arguments
from awaken.project.source.words import Words
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import NOWHERE, FunctionOf

_MOST = 3000
"""Expressions and slots of one component; larger ones hold whatever there is."""


class Component(Struct):
    """Functions and lambdas that are passed on, and the calls that may reach each of them.

    ``lambdas`` are also mocks, builtins, and the methods of builtin types, as ``found.append``.
    ``threads`` are calls that run them in a thread, ``absorbed`` those that take coroutine
    functions as well; ``annotations`` say what they are passed on as. ``leaks`` are the places from
    which invisible code may call them, or others may come, each with a clause that says so.
    """

    functions: set[FunctionPlace] = field(default_factory=set)
    lambdas: set[Place] = field(default_factory=set)
    calls: dict[Place, Call] = field(default_factory=dict)
    leaks: dict[Place, str] = field(default_factory=dict)
    slots: set[Slot] = field(default_factory=set)
    threads: set[Place] = field(default_factory=set)
    absorbed: set[Place] = field(default_factory=set)
    annotations: set[Place] = field(default_factory=set)


Walked = dict[int, Component]
"""Components by their identity."""


class PassedFunctions:
    """Answers for one program, of which ``graph`` has the calls."""

    def __init__(
        self, evaluator: ProgramEvaluator, graph: CallGraph, words: Words, wrappings: Wrappings
    ) -> None:
        self._evaluator = evaluator
        self._wrappings = wrappings
        self._graph = graph
        slots = Slots(evaluator, words)
        self._consumers = Consumers(slots, self._call_at)
        self._origins = Origins(slots, self._call_at)
        self._holding = Holding(slots, graph)
        self._slots = slots
        self._known = Recorded[tuple[str, int, int, int] | Slot, Component]()

    @cached_method
    def components_of(self, function: FunctionPlace) -> tuple[Component, ...]:
        """Return the components that ``function`` is part of, each of its uses as a value once."""
        components: list[Component] = []
        spots: Iterator[Spot | Slot] = chain(self._uses(function), self._kept_slots(function))
        for spot in spots:
            component = self._component(spot)
            if all(candidate is not component for candidate in components):
                components.append(component)
        return tuple(components)

    def of_lambda(self, place: Place) -> Component:
        """Return the component that the lambda at a place is part of."""
        pair = self.lambda_at(place)
        return Component() if pair is None else self._component(Spot(*pair))

    def of_result(self, function: FunctionPlace) -> Component:
        """Return the component of the functions that ``function`` returns."""
        return self._component(Slot("result", function.path, function.start, function.name))

    def callers(
        self, function: FunctionPlace, calls: Iterable[Call], walked: Walked | None = None
    ) -> Iterator[Call]:
        """Yield who waits for ``function``, of which ``calls`` call it by its name.

        Included are callers of all that it is passed on to. A caller of a lambda around one of
        ``calls`` takes the place of the function around that. Of components that were ``walked``
        nothing is said again.
        """
        for call in calls:
            if self._graph.lambda_around(call) is None:
                yield call
        for component in _not_yet_walked(self.components_around(function), walked):
            for place in sorted(component.calls):
                if self._graph.lambda_around(component.calls[place]) is None:
                    yield component.calls[place]

    def interchangeable_functions(
        self, function: FunctionPlace, walked: Walked | None = None
    ) -> Iterator[FunctionPlace]:
        """Yield the functions that are called in place of ``function``, or of lambdas around it.

        A function that also takes coroutine functions calls each in the right way. Of components
        that were ``walked`` nothing is said again.
        """
        for component in _not_yet_walked(self.components_around(function), walked):
            if component.calls or component.threads or component.leaks:
                yield from sorted(component.functions)

    def components_around(self, function: FunctionPlace) -> Iterator[Component]:
        """Yield the components of a function, and of the lambdas around calls of it."""
        components = Queue(self.components_of(function), id)
        components += self._lambdas_around(self._graph.callers(function))
        for component in components:
            yield component
            components += self._lambdas_around(component.calls.values())

    def _lambdas_around(self, calls: Iterable[Call]) -> list[Component]:
        around = map(self._graph.lambda_around, calls)
        return [self.of_lambda(place) for place in around if place is not None]

    def lambda_at(self, place: Place) -> tuple[Module, ast.Lambda] | None:
        """Return the lambda at a place."""
        module = self._evaluator.load(place.path)
        for node in module.expressions_at({place.span}) if module is not None else ():
            if module is not None and isinstance(node, ast.Lambda):
                return module, node
        return None

    # -------------------------------------------------------------------------------------- parts
    @cached_property
    def _calls(self) -> dict[Place, Call]:
        return {Place(call.place.path, call.place.span): call for call in self._graph.calls()}

    def _call_at(self, place: Place) -> Call | None:
        return self._calls.get(Place(place.path, place.span))

    def _uses(self, function: FunctionPlace) -> Iterator[Spot]:
        """Yield the expressions that are a function, and do not call it.

        In an annotation of a class a builtin is meant: ``def list(self) -> list[Row]``.
        """
        name = function.name
        for path, index in self._uses_by_function(name).get((function.path, function.start), ()):
            module = self._evaluator.load(path)
            node = None if module is None else module.mentions(name)[index]
            if module is not None and isinstance(node, ast.expr):
                yield Spot(module, node)

    @cached_method
    def _uses_by_function(self, name: str) -> Mapping[tuple[str, int], Iterable[tuple[str, int]]]:
        """Return which mentions of ``name`` are a function, by its file and start."""
        used: defaultdict[tuple[str, int], dict[tuple[str, int], None]] = defaultdict(dict)
        files = self._graph.files_using(name)
        for module in self._evaluator.names.facts.mentioning(name, files):
            for index, node in enumerate(module.mentions(name)):
                if not isinstance(node, ast.expr) or not is_use(module, node):
                    continue
                values = () if is_annotation(module, node) else self._evaluator.values(module, node)
                for value in values:
                    if isinstance(value, FunctionOf):
                        start = value.module.span(value.node).start
                        used[value.module.path, start][module.path, index] = None
        return used

    def _kept_slots(self, function: FunctionPlace) -> Iterator[Slot]:
        """Yield where decorators put a function: their parameters, and registers of libraries."""
        facts = self._evaluator.names.facts
        written = facts.written_functions(function.path, function.qualname)
        if not any(candidate.decorators for candidate in written):
            return
        for module, node in self._evaluator.functions_at([(function.path, function.start)]):
            yield from self._holding.registers.keeping(module, node)
            for decorator in node.decorator_list:
                name = self._evaluator.names.qualified_name(module, without_arguments(decorator))
                called = isinstance(decorator, ast.Call)
                result = None if name is None else self._wrappings.wrapping_of(name, called=called)
                if result is not None and result.is_kept:
                    first = first_parameter(result.decorator)
                    yield self._slots.parameter(result.module, result.decorator, first, 0)

    def _component(self, start: Spot | Slot) -> Component:
        key = key_of(start)
        if key not in self._known:
            with RECORDER.with_record():
                self._known[key] = self._collected_component(start)
        return self._known[key]

    def _collected_component(self, start: Spot | Slot) -> Component:
        component = Component()
        waiting = Queue[Spot | Slot]([start], key_of)
        for item in waiting:
            if isinstance(item, Slot) and item is not start:
                component.slots.add(item)
                component.annotations.update(self._holding.annotations(item))
            for other in self._slots_next(item):
                if isinstance(other, Leak):
                    component.leaks.setdefault(other.place, other.why)
                elif isinstance(other, End):
                    self._end(other, component)
                elif other.depth != KEYS and (isinstance(other, Slot) or _may_hold(other.node)):
                    waiting += [other]
            if len(waiting.seen) > _MOST and not waiting.is_done:
                where = next(iter(component.leaks), NOWHERE)
                component.leaks[where] = "it is passed on too often to be followed"
                break
        self._tell_calls(component)
        self._known.update(dict.fromkeys(map(key_of, waiting.seen.values()), component))
        return component

    def _tell_calls(self, found: Component) -> None:
        """Say of each call of a component what it may reach."""
        if found.functions or found.lambdas:
            found.functions |= {
                item for place in found.calls for item in self._protocol_calls(place)
            }
        functions = tuple(sorted(found.functions))
        for place, call in found.calls.items():
            found.calls[place] = call._replace(functions=functions)

    def _protocol_calls(self, place: Place) -> Iterator[FunctionPlace]:
        """Yield the ``__call__`` of the protocol that says what is called at a place."""
        resolved = self._call_at(place)
        for callee in () if resolved is None else resolved.functions:
            places = [(callee.path, callee.start)] if callee.qualname.endswith(".__call__") else []
            for module, node in self._evaluator.functions_at(places):
                if is_stub(self._evaluator, module, node):
                    yield callee

    def _slots_next(self, item: Spot | Slot) -> Found:
        if isinstance(item, Slot):
            yield from self._holding.accesses_of(item)
        else:
            yield from self._origins.sources_of(item)
            yield from self._consumers.uses_of(item)

    def _end(self, end: End, found: Component) -> None:
        place = end.module.place(end.node)
        node = end.node
        if end.kind == "leak":
            found.leaks.setdefault(place, end.why)
        elif isinstance(node, ast.Lambda) or end.kind == "plain":
            found.lambdas.add(place)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.functions.add(self._place(end.module, node))
        elif end.kind == "thread":
            found.threads.add(place)
        elif end.kind == "absorbed":
            found.absorbed.add(place)
        elif isinstance(node, ast.Call):
            caller = self._place(end.module, function_around(end.module, node))
            found.calls[place] = Call(place, caller, last_name(node.func), "several", (), "")

    def _place(self, module: Module, node: Function | None) -> FunctionPlace:
        start = -1 if node is None else module.span(node).start
        qualname = "<module>" if node is None else module.qualname(node)
        known = self._graph.function_at(module.path, start)
        return known or FunctionPlace(module.path, start, qualname)


def _not_yet_walked(components: Iterable[Component], walked: Walked | None) -> Iterator[Component]:
    """Yield those that were not walked yet, which they are then: each of its functions has all."""
    for component in components:
        if walked is None:
            yield component
        elif id(component) not in walked:
            walked[id(component)] = component
            yield component


def _may_hold(node: ast.expr) -> bool:
    """Whether an expression may be a function, or a container of some."""
    return not is_literal(node)

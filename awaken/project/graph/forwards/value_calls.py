"""Calls of a function that variables and tables hold, as far as names alone lead there.

``READERS = {"csv": read_csv}``, ``READERS[kind](path)``. The call graph is not asked: the values of
parameters, which it is made of, are asked here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

from awaken.contract import Place
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.passed.consumers import Consumers
from awaken.project.graph.forwards.passed.slots import End, Slot, Slots, Spot, key_of
from awaken.project.names.visibility import is_seen
from awaken.project.source.memo import cached_by
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import MOST_ALTERNATIVES
from awaken.project.values.pytest_fixtures import fixture_name

Holder = TypeVar("Holder", Slot, Spot)
_DISPLAYS = ast.Dict | ast.List | ast.Set | ast.Tuple


class ValueCalls:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._slots = Slots(evaluator, evaluator.callers.words)
        self._consumers = Consumers(self._slots, lambda _: None)

    def calls_at(self, obstacle: Obstacle) -> tuple[Place | None, ...]:
        """Return the calls of what is passed as a value at the places of an obstacle.

        One is None where other code may call it, or nothing does.
        """
        if obstacle.kind != "value":
            return (None,)
        result: list[Place | None] = []
        # The values that calls pass may lead back to here.
        with self._evaluator.without_callers():
            for place in (obstacle.place, *obstacle.others):
                module = self._evaluator.load(place.path)
                node = module and next(module.expressions_at({place.span}), None)
                holders = self._next_holders(Spot(module, node)) if module and node else (None,)
                for holder in holders:
                    if holder is None or isinstance(holder, Place):
                        result.append(holder)
                    else:
                        result += self._calls_of_holder(holder)
        return tuple(result) or (None,)

    # All functions of a table share its calls.
    @cached_by(key_of)
    def _calls_of_holder(self, holder: Spot | Slot) -> tuple[Place | None, ...]:
        calls: list[Place | None] = []
        waiting = Queue[Spot | Slot]([holder], key_of)
        for item in waiting:
            for other in self._next_holders(item):
                if other is None or isinstance(other, Place):
                    calls.append(other)
                else:
                    waiting += [other]
            # Each function of a table gets each call of it.
            if len(calls) > MOST_ALTERNATIVES:
                return (None,)
        return tuple(dict.fromkeys(calls))

    def _next_holders(self, item: Spot | Slot) -> Iterator[Spot | Slot | Place | None]:
        """Yield what holds a value next, and its calls; None where it can't be followed."""
        if isinstance(item, Slot):
            yield from self._reads_of(item)
            return
        for other in self._consumers.uses_of(item):
            match other:
                case Spot() if _is_around(other, item):
                    yield _without_key(other)
                case Spot() if other.depth >= item.depth:
                    yield self._filled_variable(other)
                case Spot():
                    # Something else is put into the container.
                    continue
                case Slot(kind="variable"):
                    yield _without_key(other)
                case Slot(kind="result"):
                    yield from self._receivers_of(other)
                case End(kind="call", node=ast.Call(func=called)) if called is item.node:
                    yield other.module.place(other.node)
                case _:
                    yield None

    def _receivers_of(self, result: Slot) -> Iterator[Spot | Slot | None]:
        """Yield what gets the result of a function, a dependency or a fixture.

        None if others may get it.
        """
        for home, function in self._evaluator.functions_at([(result.owner, result.start)]):
            fixture = fixture_name(home, function, self._evaluator.names)
            is_global = home.parent(function) is home.tree
            if is_seen(self._evaluator.names, home, function.name):
                yield None
            if fixture is not None and is_global:
                yield from self._slots.fixture_receivers(home, function, fixture, result.depth)
            elif function.decorator_list or home.is_generator(function):
                yield None
            else:
                callers = self._evaluator.callers.callers_of(home, function)
                pairs = (
                    pair for site in callers.sites for pair in self._evaluator.calls_at(site.place)
                )
                yield from (Spot(module, call, result.depth) for module, call in pairs)
                if not callers.complete and is_global:
                    yield from self._slots.injected_parameters(home, function, result.depth)
                elif not callers.complete:
                    yield None

    def _reads_of(self, variable: Slot) -> Iterator[Spot | None]:
        """Yield what reads a variable; None if another program may."""
        module = self._evaluator.load(variable.owner)
        if module is None or (
            variable.start < 0 and is_seen(self._evaluator.names, module, variable.name)
        ):
            yield None
        if module is not None:
            yield from self._slots.reads_of_variable(module, variable)

    def _filled_variable(self, container: Spot) -> Slot | None:
        """Return the variable of a container that something is put into."""
        module, node, depth = container
        if not isinstance(node, ast.Name):
            return None
        bindings = module.scopes.bindings_of(node)
        is_own = bool(bindings) and all(isinstance(item.value, _DISPLAYS) for item in bindings)
        slot = self._slots.variable(module, node, depth) if is_own else None
        return None if slot is None else _without_key(slot)


def _is_around(outer: Spot, inner: Spot) -> bool:
    """Whether an expression is around another one, and gives the same functions.

    ``partial(f, x)`` gives another function, which is called with fewer arguments.
    """
    is_made = isinstance(outer.node, ast.Call) and outer.node.args[:1] == [inner.node]
    is_same = not is_made or bool(inner.depth)
    return is_same and outer.node in inner.module.ancestors(inner.node)


def _without_key(item: Holder) -> Holder:
    """Return a container of any key, so that all functions of a dictionary have one answer."""
    key = getattr(item.depth, "key", None)
    return item._replace(depth=int(item.depth)) if isinstance(key, str) else item

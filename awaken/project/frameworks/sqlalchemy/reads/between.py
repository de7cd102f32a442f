"""What may happen to an object between the call that loads it and a read of a relationship."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from awaken.contract import Place
from awaken.project.effects.places.between import Between, Event
from awaken.project.frameworks.sqlalchemy.reads.anchors import loading_call, read_at
from awaken.project.frameworks.sqlalchemy.reads.domain import Read, Trace
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.passing import argument_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda
from awaken.project.values.domain import InstanceOf, Origin, Producer, TupleOf, Values

_MOST_FRAMES = 60  # functions that hand one object on; a guess, not yet measured
_MOST_RETURNS = 60  # calls of functions that return it; a guess, not yet measured


@dataclass(frozen=True, slots=True)
class _Frame:
    """A function that holds the object: ``node`` gives it, ``later`` is where it is read.

    In the functions that it is handed on to, ``events`` may happen before the read.
    """

    module: Module
    node: ast.expr
    later: ast.expr
    events: tuple[Event, ...] = ()

    @property
    def function(self) -> FunctionOrLambda | None:
        """The function around the read."""
        return self.module.enclosing_function(self.later)

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it apart, without a tree."""
        return self.module.path, self.module.span(self.node).start, self.module.span(self.later).end


class BetweenLoadAndRead:
    """Answers for one program.

    An object is followed from its read upwards, through the arguments of calls, to the function
    that gets it from the load: in that function, or returned by functions that it calls.
    """

    def __init__(self, evaluator: ProgramEvaluator, between: Between) -> None:
        self._evaluator = evaluator
        self._between = between

    def of(self, trace: Trace, read: Read) -> tuple[Event, ...]:
        """Return what may happen, in no certain order; what cannot be told is unknown."""
        module = self._evaluator.load(read.place.path)
        at = None if module is None else read_at(module, read.place)
        if module is None or at is None:
            return (Event("unknown", read.place, "where the read happens is not in sight"),)
        found: dict[Event, None] = {}
        arrived, seen = False, set[tuple[str, int, int]]()
        waiting = [_Frame(module, *at)]
        while waiting:
            frame = waiting.pop(0)
            if frame.key in seen:
                continue
            seen.add(frame.key)
            if len(seen) > _MOST_FRAMES:
                why = "too many functions hand it on to tell"
                found[Event("unknown", read.place, why)] = None
                break
            for origin in dict.fromkeys(_origins(self._values(frame))):
                if origin.kind == "parameter":
                    waiting += self._callers(frame, origin)
                elif origin.place == trace.load.place:
                    arrived = True
                    found |= dict.fromkeys((*self._from_load(frame, origin.place), *frame.events))
        if not arrived:
            why = "how the object gets there is not followed"
            found[Event("unknown", read.place, why)] = None
        return tuple(found)

    def _values(self, frame: _Frame) -> Values:
        return self._evaluator.values(frame.module, frame.node)

    def _callers(self, frame: _Frame, origin: Origin) -> Iterator[_Frame]:
        """Yield the calls that pass the object to the parameter from which a frame has it."""
        module, function = frame.module, frame.function
        parameter = None if function is None else _parameter(module, function, origin.place)
        if not isinstance(function, Function) or parameter is None:
            return
        events = self._between.part(module, function, None, frame.later)
        if events is None:
            return
        events = (*events, *frame.events)
        for site in self._evaluator.callers.of(module, function).sites:
            caller = self._evaluator.load(site.place.path)
            for call in caller.calls_at(site.place.span) if caller is not None else ():
                given = argument_of(call, function, parameter, site.bound)
                if given is None and site.bound and isinstance(call.func, ast.Attribute):
                    given = call.func.value
                if given is not None and caller is not None:
                    yield _Frame(caller, given, call, events)

    def _from_load(self, frame: _Frame, load: Place) -> tuple[Event, ...]:
        """Return what may happen from the load to the place where a frame hands the object on."""
        home = self._evaluator.load(load.path)
        start = None if home is None else loading_call(home, load)
        function = None if home is None or start is None else home.enclosing_function(start)
        if home is None or start is None or function is None or frame.function is None:
            return (Event("unknown", load, "it is loaded outside of functions"),)
        if function is frame.function:
            events = self._between.part(home, function, start, frame.later)
            return self._told(events, frame, "no way leads from the load to it")
        return self._returned(frame, home, function, start)

    def _told(self, events: Sequence[Event] | None, frame: _Frame, why: str) -> tuple[Event, ...]:
        if events is None:
            return (Event("unknown", frame.module.place(frame.later), why),)
        return tuple(events)

    def _returned(
        self, frame: _Frame, home: Module, function: FunctionOrLambda, start: ast.expr
    ) -> tuple[Event, ...]:
        """Return what may happen where functions return the object until ``frame`` has it."""
        found: dict[Event, None] = {}
        arrived, seen = False, set[tuple[str, int]]()
        waiting = [(home, function, start)]
        while waiting and len(seen) < _MOST_RETURNS:
            module, holder, node = waiting.pop(0)
            if holder is frame.function:
                events = self._between.part(module, holder, node, frame.later)
                arrived = arrived or events is not None
                found |= dict.fromkeys(events or ())
                continue
            key = (module.path, module.span(node).start)
            if key in seen or not isinstance(holder, Function):
                continue
            seen.add(key)
            events = self._between.part(module, holder, node, None)
            if events is None:
                continue
            callers = list(self._calls_of(module, holder, frame))
            found |= dict.fromkeys(events if callers else ())
            waiting += callers
        if arrived:
            return tuple(found)
        why = f"how it gets from `{_name(function)}` to `{_name(frame.function)}` is not followed"
        return (Event("unknown", frame.module.place(frame.later), why),)

    def _calls_of(
        self, module: Module, function: Function, frame: _Frame
    ) -> Iterator[tuple[Module, FunctionOrLambda, ast.expr]]:
        """Yield the calls of a function; only those of the frame, if it calls it itself."""
        found: list[tuple[Module, FunctionOrLambda, ast.expr]] = []
        for site in self._evaluator.callers.of(module, function).sites:
            caller = self._evaluator.load(site.place.path)
            for call in caller.calls_at(site.place.span) if caller is not None else ():
                holder = None if caller is None else caller.enclosing_function(call)
                if caller is not None and holder is not None:
                    found.append((caller, holder, call))
        here = [one for one in found if one[1] is frame.function]
        yield from here or found


def _origins(values: Values) -> Iterator[Origin]:
    """Yield the origins of the objects among ``values``, also of those inside of containers."""
    for one in values:
        match one:
            case InstanceOf():
                yield from one.origins or ()
                for part in one.parameters:
                    yield from _origins(part)
            case TupleOf():
                for part in one.items:
                    yield from _origins(part)
            case Producer():
                yield from _origins(one.inner)
            case _:
                pass


def _parameter(module: Module, function: FunctionOrLambda, place: Place) -> ast.arg | None:
    args = function.args
    for one in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        if module.path == place.path and module.span(one) == place.span:
            return one
    return None


def _name(function: FunctionOrLambda | None) -> str:
    return getattr(function, "name", "lambda")

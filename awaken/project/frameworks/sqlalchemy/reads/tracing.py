"""Objects followed back to the calls that loaded or made them, through the callers of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.reads.domain import Load, LoadKind, Trace
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.passing import argument_of, default_of, is_omitted
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    NoneValue,
    Origin,
    Unknown,
    Values,
)

_KINDS: dict[str, LoadKind] = {
    "get": "get",
    "get_one": "get",
    "merge": "merge",
    "query": "query",
    "select": "select",
}
# A longer way names no load that a rule could write, as in `library.origins`.
_LONGEST_PATH = 4
_MOST_PARAMETERS = 200  # of one question; a guess, not yet measured
_MOST_TRACES = 50  # more statements than that no change should edit for one read


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of a function, of which the receiver of a call gives the first ``bound``."""

    function: Function
    parameter: ast.arg
    bound: int


@dataclass
class _Found:
    """What one question found so far."""

    traces: dict[Trace, None] = field(default_factory=dict)
    unknown: dict[Unknown, None] = field(default_factory=dict)
    waiting: list[tuple[Origin, tuple[str, ...]]] = field(default_factory=list)


class Tracing:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def of(
        self, objects: Sequence[InstanceOf], attribute: str, place: Place
    ) -> tuple[tuple[Trace, ...], tuple[Unknown, ...]]:
        """Return the loads of objects of which a relationship is read, and what is unknown.

        ``place`` is where it is read.
        """
        found, seen = _Found(), set[tuple[Place, tuple[str, ...]]]()
        for one in objects:
            self._begin((one,), (f"{one.qualified}.{attribute}",), place, found)
        while found.waiting:
            origin, rest = found.waiting.pop(0)
            key = (origin.place, (*origin.way, *rest))
            if key in seen:
                continue
            seen.add(key)
            if len(key[1]) > _LONGEST_PATH:
                why = "the way to it is too long, or leads back to itself"
                found.unknown[Unknown(why, place)] = None
            elif len(seen) > _MOST_PARAMETERS or len(found.traces) > _MOST_TRACES:
                why = "too many calls have to be followed to tell what loaded it"
                found.unknown[Unknown(why, place)] = None
                break
            elif origin.kind == "parameter":
                self._at_callers(origin, key[1], found)
            else:
                load = Load(self._kind(origin.place), origin.place, origin.options)
                found.traces[Trace(load, key[1])] = None
        return tuple(found.traces), tuple(found.unknown)

    def _begin(self, values: Values, path: tuple[str, ...], place: Place, found: _Found) -> None:
        for one in values:
            match one:
                case NoneValue():
                    pass
                case Unknown():
                    found.unknown[one] = None
                case InstanceOf(origins=None):
                    why = "what loaded it cannot be told"
                    found.unknown[Unknown(why, place)] = None
                case InstanceOf():
                    found.waiting += [(origin, path) for origin in one.origins or ()]
                case _:
                    found.unknown[Unknown("it may be something else", place)] = None

    def _at_callers(self, origin: Origin, path: tuple[str, ...], found: _Found) -> None:
        """Go on with what the callers of a function pass to a parameter."""
        module = self._evaluator.load(origin.place.path)
        at = None if module is None else _parameter_at(module, origin.place)
        if module is None or at is None:
            found.unknown[Unknown("it is no parameter of a function", origin.place)] = None
            return
        function, parameter = at
        callers = self._evaluator.callers.of(module, function)
        for obstacle in callers.obstacles:
            found.unknown[Unknown(obstacle.why, obstacle.place)] = None
        for site in callers.sites:
            caller = self._evaluator.load(site.place.path)
            for call in caller.calls_at(site.place.span) if caller is not None else ():
                if caller is not None:
                    wanted = _Parameter(function, parameter, site.bound)
                    self._passed(caller, call, wanted, path, found)

    def _passed(
        self,
        module: Module,
        call: ast.Call,
        wanted: _Parameter,
        path: tuple[str, ...],
        found: _Found,
    ) -> None:
        function, parameter = wanted.function, wanted.parameter
        given = argument_of(call, function, parameter, wanted.bound)
        if given is None and wanted.bound and parameter in _first(function):
            given = call.func.value if isinstance(call.func, ast.Attribute) else None
        if given is None and default_of(function, parameter) is not None and is_omitted(call):
            return
        if given is None:
            why = f"`{module.excerpt(call)}` passes it in a way that is not followed"
            found.unknown[Unknown(why, module.place(call))] = None
            return
        self._begin(self._evaluator.values(module, given), path, module.place(given), found)

    def _kind(self, place: Place) -> LoadKind:
        """Return what the call, or the attribute of a class, at ``place`` does."""
        module = self._evaluator.load(place.path)
        calls = module.calls_at(place.span) if module is not None else []
        if module is None or not calls:
            return "other"
        for one in self._evaluator.values(module, calls[0].func):
            match one:
                case ClassOf():
                    return "new"
                case External():
                    return _KINDS.get(one.qualified.rpartition(".")[2], "other")
                case _:
                    pass
        return "other"


def _first(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args][:1]


def _parameter_at(module: Module, place: Place) -> tuple[Function, ast.arg] | None:
    for function in _functions(module):
        args = function.args
        for one in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            if module.span(one) == place.span:
                return function, one
    return None


def _functions(module: Module) -> Iterator[Function]:
    for scope in module.scopes.scopes:
        if isinstance(scope.node, Function):
            yield scope.node

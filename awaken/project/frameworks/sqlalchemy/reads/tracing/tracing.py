"""Objects followed back to the calls that loaded or made them, through the parameters of functions.

Parameters and what arrives at them are a graph: an edge leads from a parameter to another one, over
relationships or none. A path over relationships that returns to its start has no longest one
(``to_dict`` of each child): there the edge is cut, and the later reads are unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from awaken.contract import Place
from awaken.knowledge.library_names import name_table
from awaken.project.frameworks.sqlalchemy.reads.python_sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import (
    Load,
    LoadKind,
    Trace,
    call_or_attribute_at,
)
from awaken.project.frameworks.sqlalchemy.reads.tracing.along import Along, PassedValues
from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.frameworks.sqlalchemy.reads.tracing.arriving import Arriving
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import RECORDER, Recorded, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.worklist import LONGEST_PATH, MOST_STEPS, Worklist, components
from awaken.project.values.domain import ClassOf, External, InstanceOf, Origin, Unknown

_Path = tuple[str, ...]


class _Found(Struct):
    """The results of one read."""

    traces: dict[Trace, None] = field(default_factory=dict)
    unknown: dict[Unknown, None] = field(default_factory=dict)


class Tracing:
    """Answers for one program; ``follow`` looks at the program, ``of`` at what it found."""

    def __init__(self, evaluator: ProgramEvaluator, sources: Sequence[Sights]) -> None:
        passed = PassedValues(evaluator)
        self.along = Along(evaluator, passed)
        self._arriving = Arriving(evaluator, self.along, sources, passed)
        self._kinds = LoadKinds(evaluator)
        self._known = Recorded[Place, Arrivals]()
        self._component: dict[Place, int] = {}

    def follow(self, origins: Iterable[Origin]) -> None:
        """Find what arrives at all parameters that these origins lead to."""
        waiting = {item.place for item in origins if item.kind == "parameter"} - self._known.keys()
        if not waiting:
            return
        while waiting:
            with RECORDER.with_record():
                result = self._arriving.arrivals_at(waiting)
                self._known.update(result)
            waiting = {
                origin.place
                for arrivals in result.values()
                for origin in _parameters(arrivals)
                if origin.place not in self._known
            }
        # All parameters that lead to each other have the same number.
        numbered = enumerate(components(sorted(self._known), self._next_parameters))
        self._component = {place: count for count, component in numbered for place in component}

    def calls_behind(self, origins: Iterable[Origin]) -> Iterator[Origin]:
        """Yield the calls among origins, and those that lead to a parameter among them."""
        begun = [*origins]
        self.follow(begun)
        waiting = Worklist(begun)
        for origin in waiting:
            if origin.kind == "call":
                yield origin
            else:
                waiting += self._known[origin.place].origins

    def _next_parameters(self, place: Place) -> Iterator[Place]:
        return (origin.place for origin in _parameters(self._known[place]))

    def traces_of(
        self, objects: Sequence[InstanceOf], attribute: str, place: Place
    ) -> tuple[tuple[Trace, ...], tuple[Unknown, ...]]:
        """Return the loads of objects of which a relationship is read, and what is unknown.

        ``place`` is where it is read.
        """
        result, arrivals = _Found(), dict[tuple[Origin, _Path], None]()
        for instance in objects:
            read: _Path = (f"{instance.qualified}.{attribute}",)
            if instance.origins is None:
                why = "the statement that loaded it is unknown"
                result.unknown[Unknown(why, place)] = None
            arrivals.update(((origin, read), None) for origin in instance.origins or ())
        waiting, seen = [*arrivals], set[tuple[Place, _Path]]()
        # The list grows while it is read.
        for origin, rest in waiting:
            path = (*origin.way, *rest)
            if len(path) > LONGEST_PATH:  # it names no load that a rule could write
                result.unknown[Unknown("the way to it is too long", place)] = None
            elif origin.kind == "call":
                result.traces[Trace(self._kinds.load(origin), path)] = None
            elif (origin.place, path) not in seen:
                seen.add((origin.place, path))
                waiting += [(value, path) for value in self._arrived_origins(origin.place, result)]
            if len(seen) > MOST_STEPS:
                why = "too many calls have to be followed to tell what loaded it"
                result.unknown[Unknown(why, place)] = None
                break
        if objects and not result.traces and not result.unknown:
            # Then it never runs, or is called from where nobody looks.
            result.unknown[Unknown("no visible object reaches it", place)] = None
        return tuple(result.traces), tuple(result.unknown)

    def _arrived_origins(self, place: Place, found: _Found) -> Iterator[Origin]:
        """Yield where the objects come from that arrive at a parameter."""
        arrivals = self._known[place]
        found.unknown.update(arrivals.unknown)
        for origin in sorted(arrivals.origins, key=lambda each: (each.place, each.way)):
            if origin.kind == "call" or not origin.way or not self._leads_back(place, origin.place):
                yield origin
            else:
                last = origin.way[-1].rpartition(".")[2]
                why = f"it may be read at any number of `{last}` from each other"
                found.unknown[Unknown(why, place)] = None

    def _leads_back(self, place: Place, other: Place) -> bool:
        return self._component[place] == self._component[other]


def _parameters(arrivals: Arrivals) -> Iterator[Origin]:
    """Yield the parameters that the objects come from."""
    return (origin for origin in arrivals.origins if origin.kind == "parameter")


# --------------------------------------------------------------------------------------- load kinds
_KINDS: dict[str, LoadKind] = name_table("kinds_of_loads")


class LoadKinds(ProgramFacts):
    """Answers for one program; each place is looked at once."""

    def load(self, origin: Origin) -> Load:
        """Return the load at an origin that is a call, or an attribute of a class."""
        place = origin.place
        kind, sets = self._read(place)
        return Load(kind, place, origin.options, sets)

    @cached_method
    def _read(self, place: Place) -> tuple[LoadKind, tuple[str, ...]]:
        module = self._evaluator.load(place.path)
        if module is None:
            return "other", ()
        node = call_or_attribute_at(module, place)
        if isinstance(node, ast.Call):
            return self._of_call(module, node)
        # `User.query`, and `user.posts` of a relationship that is a query.
        return ("other" if node is None else "query"), ()

    def _of_call(self, module: Module, call: ast.Call) -> tuple[LoadKind, tuple[str, ...]]:
        for value in self._evaluator.values(module, call.func):
            match value:
                case ClassOf():
                    return "new", self._set_by(value.qualified, call)
                case External():
                    return _KINDS.get(value.qualified.rpartition(".")[2], "other"), ()
        return "other", ()

    def _set_by(self, qualified: str, call: ast.Call) -> tuple[str, ...]:
        """Return the attributes that a new object is given by its declarative constructor."""
        line = self._evaluator.classes.line(qualified)
        # One of the program's own may do anything with what it is given.
        if not line or any("__init__" in facts.members for facts in line):
            return ()
        return tuple(keyword.arg for keyword in call.keywords if keyword.arg is not None)

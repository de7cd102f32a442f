"""The readers of a statement's objects: whether all of them read a relationship."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Place, Span
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
from awaken.project.frameworks.sqlalchemy.reads.relationship_reads import SERVED
from awaken.project.source.memo import cached_method
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project

READERS = frozenset(SERVED)
"""Kinds of reads that go over whatever they are given: a read of each object."""
# From a view over a service to its helper; each step may multiply the calls to look at.
DEEPEST_CALLERS = 3
_MOST_FUNCTIONS = 30  # of one level; methods that many classes have are called everywhere


class _Home(NamedTuple):
    """A function by its place; the span is None for the top of a file."""

    path: str
    span: Span | None


class Readers:
    """Answers for one program."""

    def __init__(self, project: Project, reads: Iterable[Read]) -> None:
        self._project = project
        self._places: dict[tuple[Place, str], dict[Place, None]] = {}
        self._handed_on: set[tuple[Place, str]] = set()
        for read in reads:
            relationship = f"{read.owner}.{read.attribute}"
            for trace in read.traces:
                if read.how in READERS:
                    self._handed_on.add((trace.load.place, relationship))
                self._places.setdefault((trace.load.place, relationship), {})[read.place] = None

    def are_all(self, load: Place, relationship: str) -> bool:
        """Whether a relationship is read whenever the statement at ``load`` runs.

        In visible code, it is if a read of it is in the function there, or in one that this calls.
        It also is if all callers read it, to which it returns the objects. A caller without one
        would get rows that it does not ask for.
        """
        here = self._home(load)
        reading = {self._home(place) for place in self._places.get((load, relationship), ())}
        if self._reads(here, reading, 0):
            return True
        # A template, or a response, gets what the function there, or its only caller, hands on.
        if (load, relationship) in self._handed_on and len(self._callers(here)) <= 1:
            return True
        # Whose callers are asked for is what costs time: one level after the other.
        newest = set(reading)
        for _ in range(DEEPEST_CALLERS):
            if len(newest) > _MOST_FUNCTIONS:
                break
            newest = {caller for home in newest for caller in self._callers(home)} - reading
            reading |= newest
            if here in reading:
                return True
        return self._reads(here, reading, DEEPEST_CALLERS)

    def _reads(self, home: _Home, reading: set[_Home], depth: int) -> bool:
        if home in reading:
            return True
        callers = self._callers(home) if depth else ()
        return bool(callers) and all(self._reads(caller, reading, depth - 1) for caller in callers)

    def _home(self, place: Place) -> _Home:
        """Return the function around a place."""
        module = self._project.module(place.path) if place.path in self._project.snapshot else None
        if module is None:
            return _Home(place.path, None)
        calls = module.calls_at(place.span)
        above = module.ancestors(calls[0]) if calls else (one.node for one in module.scopes.scopes)
        spans = [module.span(node) for node in above if isinstance(node, Function)]
        return _Home(
            place.path, max((span for span in spans if span.contains(place.span)), default=None)
        )

    @cached_method
    def _callers(self, home: _Home) -> frozenset[_Home]:
        """Return the visible functions that call another one."""
        module = self._project.module(home.path) if home.path in self._project.snapshot else None
        for scope in module.scopes.scopes if module is not None else ():
            if module is None or not isinstance(scope.node, Function):
                continue
            if module.span(scope.node) == home.span:
                callers = self._project.calls.callers_of(module, scope.node)
                return frozenset(self._home(site.place) for site in callers.sites)
        return frozenset()

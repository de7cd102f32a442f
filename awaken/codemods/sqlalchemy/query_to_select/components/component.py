"""The queries that share variables and functions, as a web of what holds them and what is done."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import (
    Frame,
    Passage,
    Passages,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import Recognised
from awaken.contract import Place
from awaken.project.source.bindings import Binding
from awaken.project.values.flow import Reaching

Start = ast.Call | ast.Attribute | ast.Name


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What holds a query: a variable or parameter, or what a function returns (no ``binding``).

    ``element`` is its place where the function returns a tuple. There is one for each in a web,
    which ``Web.kept`` gives.
    """

    frame: Frame
    binding: Binding | None
    element: int | None = None

    @property
    def shown(self) -> str:
        """What it is called in messages."""
        return self.frame.function.name if self.binding is None else self.binding.name


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a query that stands in one expression.

    It starts with ``query(...)`` or ``Model.query``, which ``recognised`` tells of, with a
    variable, or with a call of a function that returns a query. ``ending`` and ``end`` are those
    of a chain, ``kept`` where something holds the whole, ``dropped`` where nothing does, and
    ``shown`` where its text goes to a log.
    """

    frame: Frame
    start: Start
    links: tuple[Link, ...]
    node: ast.expr
    ending: str
    end: str
    recognised: Recognised | None = None

    def chain(self, receiver: ast.expr | None) -> Chain:
        """Return the segment as a chain of the session ``receiver``."""
        ending = "argument" if self.ending in {"kept", "dropped", "shown"} else self.ending
        return Chain(
            self.start,  # type: ignore[arg-type]
            receiver,
            None,
            self.items,
            self.links,
            self.node,
            ending,  # type: ignore[arg-type]
            self.end,
        )

    @property
    def items(self) -> tuple[ast.expr, ...]:
        """What the query asks for that begins here; nothing where none does."""
        if self.recognised is None:
            return ()
        root = self.recognised.root
        return (root.value,) if isinstance(root, ast.Attribute) else tuple(root.args)

    @property
    def receiver(self) -> ast.expr | None:
        """The session of ``session.query(...)``, with which it begins; None where it does not."""
        called = self.start.func if isinstance(self.start, ast.Call) else None
        return called.value if isinstance(called, ast.Attribute) else None

    def place(self, note: str = "") -> Place:
        """Return the place of the segment."""
        return self.frame.place(self.node, note)


@dataclass(slots=True)
class Web:
    """The queries that share variables and functions.

    ``definitions`` are the values of what holds them, one segment for each alternative;
    ``uses`` is everything else that is done with them. ``optional`` is what may hold None as well.
    """

    passages: Passages
    definitions: dict[Kept, list[Segment]] = field(default_factory=dict)
    uses: list[Segment] = field(default_factory=list)
    optional: list[Kept] = field(default_factory=list)
    _kept: dict[Frame, dict[tuple[Binding | None, int | None], Kept]] = field(default_factory=dict)
    _reaching: dict[Start, tuple[Kept, ...]] = field(default_factory=dict)

    def kept(self, frame: Frame, binding: Binding | None, element: int | None = None) -> Kept:
        """Return what holds a query in ``frame``, the same for the same arguments."""
        known = self._kept.setdefault(frame, {})
        if (binding, element) not in known:
            known[binding, element] = Kept(frame, binding, element)
        return known[binding, element]

    @property
    def roots(self) -> list[Segment]:
        """The segments that begin with a call of ``query``, in the order of files and source."""
        found = {
            segment.start: segment
            for segments in self.definitions.values()
            for segment in segments
            if segment.recognised is not None
        }
        return sorted(found.values(), key=lambda one: (one.frame.path, one.frame.span(one.start)))

    @property
    def segments(self) -> Iterator[Segment]:
        """All segments, those of the definitions first."""
        for segments in self.definitions.values():
            yield from segments
        yield from self.uses

    def ways_out(self, segment: Segment) -> list[tuple[Passage, Kept]]:
        """Return how the query that ``segment`` begins with came out of functions, if it did."""
        element = self.passages.elements.get(segment.start)
        ways = self.passages.known.get(segment.start, ())
        return [(one, self.kept(one.into, None, element)) for one in ways]

    def reaching(self, frame: Frame, start: Start) -> tuple[Kept, ...]:
        """Return what may hold the query ``start``."""
        ways = self.passages.known.get(start)
        if ways is not None:
            element = self.passages.elements.get(start)
            return tuple(self.kept(one.into, None, element) for one in ways)
        if start not in self._reaching:
            self._reaching[start] = self._reaching_in(frame, start)
        return self._reaching[start]

    def _reaching_in(self, frame: Frame, start: Start) -> tuple[Kept, ...]:
        reaching = frame.flow.reaching(start) if isinstance(start, ast.Name) else None
        found = reaching.definitions if isinstance(reaching, Reaching) else ()
        known = self._kept.setdefault(frame, {})
        for one in found:
            if (one, None) not in known:
                known[one, None] = Kept(frame, one)
        return tuple([known[one, None] for one in found])

    def in_order(self) -> list[Kept]:
        """Return all that holds a query, each behind what its value is made of.

        Only where queries go in a circle, one stands in front of that.
        """
        readers = self.readers()
        begun = [
            kept
            for kept, segments in self.definitions.items()
            if any(segment.recognised is not None for segment in segments)
        ]
        found: list[Kept] = []
        seen: set[Kept] = set()
        for first in reversed((*begun, *self.definitions)):
            if first in seen:
                continue
            seen.add(first)
            stack = [(first, iter(reversed(readers[first])))]
            while stack:
                kept, following = stack[-1]
                for other in following:
                    if other not in seen:
                        seen.add(other)
                        stack += ((other, iter(reversed(readers[other]))),)
                        break
                else:
                    found += (kept,)
                    stack.pop()
        return found[::-1]

    def readers(self) -> dict[Kept, list[Kept]]:
        """Return for all that holds a query what is made of it."""
        found: dict[Kept, dict[Kept, None]] = {kept: {} for kept in self.definitions}
        for kept, segments in self.definitions.items():
            for segment in segments:
                for before in self.reaching(segment.frame, segment.start):
                    if before in found:
                        found[before][kept] = None
        return {kept: list(after) for kept, after in found.items()}

    def variables(self, frame: Frame) -> set[str]:
        """Return the names in ``frame`` that hold a query."""
        return {
            kept.binding.name
            for kept in self.definitions
            if kept.frame is frame and kept.binding is not None
        }

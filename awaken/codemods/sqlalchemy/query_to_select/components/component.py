"""A connected component of queries: what holds them, and what is done with them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import (
    CallEdge,
    CallEdges,
    FunctionContext,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import Recognised
from awaken.contract import Place
from awaken.project.source.bindings import Binding
from awaken.project.values.flow import Reaching

Start = ast.Call | ast.Attribute | ast.Name


@dataclass(frozen=True, slots=True, eq=False)
class Holder:
    """What holds a query: a variable or parameter, or what a function returns (no ``binding``).

    ``element`` is its place where the function returns a tuple. A component has one for each, which
    ``Component.holder`` gives.
    """

    context: FunctionContext
    binding: Binding | None
    element: int | None = None

    @property
    def shown(self) -> str:
        """What it is called in messages."""
        return self.context.function.name if self.binding is None else self.binding.name


@dataclass(frozen=True, slots=True)
class ChainFragment:
    """A part of a query that stands in one expression.

    It starts with ``query(...)`` or ``Model.query``, which ``recognised`` tells of, with a
    variable, or with a call of a function that returns a query. ``ending`` and ``end`` are those
    of a chain, ``held`` where something holds the whole, ``dropped`` where nothing does, and
    ``shown`` where its text goes to a log.
    """

    context: FunctionContext
    start: Start
    links: tuple[Link, ...]
    node: ast.expr
    ending: str
    end: str
    recognised: Recognised | None = None

    def chain(self, receiver: ast.expr | None) -> Chain:
        """Return the fragment as a chain of the session ``receiver``."""
        ending = "argument" if self.ending in {"held", "dropped", "shown"} else self.ending
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
        """Return the place of the fragment."""
        return self.context.place(self.node, note)


@dataclass(slots=True)
class Component:
    """The queries that share variables and functions.

    ``definitions`` are the values of what holds them, one fragment for each alternative;
    ``uses`` is everything else that is done with them. ``optional`` is what may hold None as well.
    """

    edges: CallEdges
    definitions: dict[Holder, list[ChainFragment]] = field(default_factory=dict)
    uses: list[ChainFragment] = field(default_factory=list)
    optional: list[Holder] = field(default_factory=list)
    _holders: dict[FunctionContext, dict[tuple[Binding | None, int | None], Holder]] = field(
        default_factory=dict
    )
    _reaching: dict[Start, tuple[Holder, ...]] = field(default_factory=dict)

    def holder(
        self, context: FunctionContext, binding: Binding | None, element: int | None = None
    ) -> Holder:
        """Return what holds a query in ``context``, the same for the same arguments."""
        known = self._holders.setdefault(context, {})
        if (binding, element) not in known:
            known[binding, element] = Holder(context, binding, element)
        return known[binding, element]

    @property
    def roots(self) -> list[ChainFragment]:
        """The fragments that begin with a call of ``query``, in the order of files and source."""
        found = {
            fragment.start: fragment
            for fragments in self.definitions.values()
            for fragment in fragments
            if fragment.recognised is not None
        }
        return sorted(
            found.values(), key=lambda one: (one.context.path, one.context.span(one.start))
        )

    @property
    def fragments(self) -> Iterator[ChainFragment]:
        """All fragments, those of the definitions first."""
        for fragments in self.definitions.values():
            yield from fragments
        yield from self.uses

    def ways_out(self, fragment: ChainFragment) -> list[tuple[CallEdge, Holder]]:
        """Return how the query that ``fragment`` begins with came out of functions, if it did."""
        element = self.edges.elements.get(fragment.start)
        ways = self.edges.known.get(fragment.start, ())
        return [(one, self.holder(one.into, None, element)) for one in ways]

    def reaching(self, context: FunctionContext, start: Start) -> tuple[Holder, ...]:
        """Return what may hold the query ``start``."""
        ways = self.edges.known.get(start)
        if ways is not None:
            element = self.edges.elements.get(start)
            return tuple(self.holder(one.into, None, element) for one in ways)
        if start not in self._reaching:
            self._reaching[start] = self._reaching_in(context, start)
        return self._reaching[start]

    def _reaching_in(self, context: FunctionContext, start: Start) -> tuple[Holder, ...]:
        reaching = context.flow.reaching(start) if isinstance(start, ast.Name) else None
        found = reaching.definitions if isinstance(reaching, Reaching) else ()
        known = self._holders.setdefault(context, {})
        for one in found:
            if (one, None) not in known:
                known[one, None] = Holder(context, one)
        return tuple([known[one, None] for one in found])

    def in_order(self) -> list[Holder]:
        """Return all that holds a query, each behind what its value is made of.

        Only where queries go in a circle, one stands in front of that.
        """
        readers = self.readers()
        begun = [
            holder
            for holder, fragments in self.definitions.items()
            if any(fragment.recognised is not None for fragment in fragments)
        ]
        found: list[Holder] = []
        seen: set[Holder] = set()
        for first in reversed((*begun, *self.definitions)):
            if first in seen:
                continue
            seen.add(first)
            stack = [(first, iter(reversed(readers[first])))]
            while stack:
                holder, following = stack[-1]
                for other in following:
                    if other not in seen:
                        seen.add(other)
                        stack += ((other, iter(reversed(readers[other]))),)
                        break
                else:
                    found += (holder,)
                    stack.pop()
        return found[::-1]

    def readers(self) -> dict[Holder, list[Holder]]:
        """Return for all that holds a query what is made of it."""
        found: dict[Holder, dict[Holder, None]] = {holder: {} for holder in self.definitions}
        for holder, fragments in self.definitions.items():
            for fragment in fragments:
                for before in self.reaching(fragment.context, fragment.start):
                    if before in found:
                        found[before][holder] = None
        return {holder: list(after) for holder, after in found.items()}

    def variables(self, context: FunctionContext) -> set[str]:
        """Return the names in ``context`` that hold a query."""
        return {
            holder.binding.name
            for holder in self.definitions
            if holder.context is context and holder.binding is not None
        }

"""A connected component of queries: what holds them, and what is done with them.

A Query is always true, so that ``if query:`` asks whether it is None; of a select() that has to be
written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Place
from awaken.project.graph.call_edges import CallEdge, CallEdges, FunctionContext
from awaken.project.graph.holders import Holder, Holders
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.worklist import groups_of, reverse_postorder

if TYPE_CHECKING:
    from awaken.project import Project

Start = ast.Call | ast.Attribute | ast.Name


class Truth(Struct, frozen=True):
    """The truth of the variable ``name``; ``node`` is what asks for it, with its ``not``."""

    context: FunctionContext
    name: ast.Name
    node: ast.expr

    @property
    def text(self) -> str:
        """How it is asked without a Query."""
        return f"{self.name.id} is {'None' if self.node is not self.name else 'not None'}"

    @property
    def place(self) -> Place:
        """Where it is asked."""
        return self.context.place(self.node, "the test becomes a test for None")


def truth_of(context: FunctionContext, node: ast.expr) -> Truth | None:
    """Return the truth that is asked of ``node``; None where it is used in another way."""
    if not isinstance(node, ast.Name):
        return None
    above = context.module.parent(node)
    if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
        return Truth(context, node, above)
    # `query or 1` gives the query.
    return Truth(context, node, node) if is_tested(context.module, node) else None


class ChainFragment(Struct, frozen=True):
    """A part of a query in one expression.

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
        # A chain knows no other end at which only its builders are written.
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
        """The entities and columns of a query that begins here; empty if none does."""
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


@dataclass
class Component:
    """The queries that share variables and functions.

    ``definitions`` are the values of what holds them, one fragment for each alternative;
    ``uses`` is everything else that is done with them. ``optional`` is what may hold None as well,
    ``truths`` are the variables that are only asked whether they do. ``mocks`` are arguments of
    tests that the user rewrites.
    """

    project: Project
    edges: CallEdges
    holders: Holders
    definitions: dict[Holder, list[ChainFragment]] = field(default_factory=dict)
    uses: list[ChainFragment] = field(default_factory=list)
    optional: list[Holder] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    mocks: list[Place] = field(default_factory=list)

    def reader(self, context: FunctionContext) -> Reader:
        """Return what answers questions about the file of ``context``."""
        return Reader(self.project, context.module)

    @property
    def roots(self) -> list[ChainFragment]:
        """The fragments that begin with a call of ``query``, in the order of files and source."""
        result = {
            fragment.start: fragment
            for fragments in self.definitions.values()
            for fragment in fragments
            if fragment.recognised is not None
        }
        return sorted(
            result.values(), key=lambda item: (item.context.path, item.context.span(item.start))
        )

    @property
    def fragments(self) -> Iterator[ChainFragment]:
        """All fragments, those of the definitions first."""
        for fragments in self.definitions.values():
            yield from fragments
        yield from self.uses

    def in_order(self) -> list[Holder]:
        """Return the definitions that hold a query, each after those that its value is made of.

        Only where queries go in a circle, one comes before its source.
        """
        begun = [
            holder
            for holder, fragments in self.definitions.items()
            if any(fragment.recognised is not None for fragment in fragments)
        ]
        return reverse_postorder(reversed((*begun, *self.definitions)), self.readers().__getitem__)

    def readers(self) -> dict[Holder, list[Holder]]:
        """Return for all that holds a query what is made of it."""
        result: dict[Holder, dict[Holder, None]] = {holder: {} for holder in self.definitions}
        for holder, fragments in self.definitions.items():
            for fragment in fragments:
                for before in self.holders.reaching(fragment.context, fragment.start):
                    if before in result:
                        result[before][holder] = None
        return {holder: list(after) for holder, after in result.items()}

    def call_passing(self, parameter: Holder, fragment: ChainFragment) -> CallEdge | None:
        """Return the call that passes ``fragment``; None if ``parameter`` is another holder."""
        node = parameter.parameter
        return self.edges.passing(parameter.context, node).get(fragment.node) if node else None

    @cached_method
    def passed_to(self, parameter: Holder) -> Mapping[CallEdge | None, list[ChainFragment]]:
        """Return the fragments that each call passes to ``parameter``."""
        return groups_of(self.definitions[parameter], partial(self.call_passing, parameter))

    @cached_property
    def passing(self) -> set[CallEdge | None]:
        """The calls that pass a query; others pass None, or a mock that the user rewrites."""
        parameters = (holder for holder in self.definitions if holder.parameter)
        return {call for parameter in parameters for call in self.passed_to(parameter)}

    def variables(self, context: FunctionContext) -> set[str]:
        """Return the names in ``context`` that hold a query."""
        return {
            holder.binding.name
            for holder in self.definitions
            if holder.context is context and holder.binding is not None
        }

    def outdated_reads(
        self, context: FunctionContext, bindings: Iterable[Binding]
    ) -> set[ast.Name]:
        """Return the reads of queries in ``context`` before which ``bindings`` may have changed."""
        changes = [binding.node for binding in bindings]
        names = self.variables(context)
        return {read for name in names for read in context.flow.outdated_reads(name, changes)}

"""Where a query comes from: the call by which it got into a function is the one that it leaves by.

A helper may take queries of many callers, and give each back to the one that passed it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.project.frameworks.loads.items import Kind
from awaken.project.graph.call_edges import CallEdge, Unseen
from awaken.project.graph.holders import Holder
from awaken.project.source.memo import cached_method
from awaken.project.source.worklist import groups_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the query that begins at ``root`` got into a function: the last of ``calls`` passed it.

    No call where it began there, or came out of a function called there. ``kind`` is that of the
    query where it began.
    """

    root: ast.expr
    kind: Kind
    calls: tuple[CallEdge, ...] = ()

    def entering(self, call: CallEdge | None, most: int) -> Arrival:
        """Return the arrival in the function of ``call``, of which it knows ``most`` calls."""
        if call is None or not most:
            return replace(self, calls=())
        # Where a function calls itself, each round is one with the first.
        known = self.calls.index(call) if call in self.calls else len(self.calls)
        return replace(self, calls=(*self.calls[:known], call)[-most:])


class Origins:
    """Matches the calls and the returns of a component, one step at a time."""

    def __init__(self, component: Component) -> None:
        self._component = component

    def before(self, fragment: ChainFragment) -> Iterable[tuple[CallEdge | None, Holder]]:
        """Return what may have held the query of ``fragment``, with the call it came out of."""
        holders = self._component.holders
        reaching = holders.reaching(fragment.context, fragment.start)
        return holders.ways_out(fragment.start) or [(None, holder) for holder in reaching]

    def call_passing(self, parameter: Holder, fragment: ChainFragment) -> CallEdge | None:
        """Return the call that passes ``fragment``; None if ``parameter`` is another holder."""
        node = parameter.parameter
        if node is None:
            return None
        return self._component.edges.edge_passing(parameter.context, node, fragment.node)

    @cached_method
    def passed_to(self, parameter: Holder) -> Mapping[CallEdge | None, list[ChainFragment]]:
        """Return the fragments that each call passes to ``parameter``."""
        given = self._component.definitions[parameter]
        return groups_of(given, partial(self.call_passing, parameter))

    def is_always_passed(self, parameter: Holder) -> bool:
        """Whether every call passes a query to ``parameter``, and none passes None or a mock."""
        calls = self._component.edges.calls_of(parameter.context)
        return not isinstance(calls, Unseen) and set(calls) <= set(self.passed_to(parameter))

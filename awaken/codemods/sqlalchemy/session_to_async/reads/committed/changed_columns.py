"""Columns that a statement changes without the objects of its session, read after the commit.

A synchronous session gives the new values, because its commit expires the objects. A session that
keeps them gives the old ones, so they are reloaded.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import (
    UnseenChange,
    has_rows_of,
    unseen_changes,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import reads_of_object
from awaken.kit.rule import ProjectFacts
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_property
from awaken.project.source.worklist import multimap
from awaken.project.values.domain import Values, classes_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function


class ChangedColumns(ProjectFacts):
    """Answers for one program."""

    def names(self, module: Module, node: ast.expr, values: Values) -> frozenset[str]:
        """Return the columns that are read of ``node`` and that its function may change so.

        Statements that delete rows, or whose rows are unknown, are left out.
        """
        function, items = module.enclosing_def(node), items_of(values)
        way, above = use_of(module, node)
        is_read = self._all and reads_of_object(module, node, is_many=bool(items))
        if function is None or not is_read:
            return frozenset()
        changes = [*self._run_by(module, function, module.span(node).start)]
        mapped = self._project.orm.mapped_class
        names = frozenset(
            name
            for owner in (classes_in(items or values) if changes else ())
            if any(has_rows_of(self._project, owner, change) for change in changes)
            for line in self._project.orm.mapping_ancestors(owner)
            if (facts := mapped(line)) is not None
            for name, column in facts.columns.items()
            if not column.primary_key
        )
        return names & {above.attr} if way == "attribute" else names

    @cached_property
    def _all(self) -> Mapping[FunctionPlace, list[UnseenChange]]:
        """The changes of known rows, by the function in which each runs."""
        graph = self._project.calls.graph()
        return multimap(
            (graph.place_around(module, node), change)
            for change in dict.fromkeys(unseen_changes(self._project))
            if (change.owner or change.table) and not change.is_deletion
            for module, node in self._project.calls_at(change.place)[:1]
        )

    def _run_by(self, module: Module, function: Function, end: int) -> Iterator[UnseenChange]:
        """Yield the changes that a function makes in front of ``end``, itself or by its calls."""
        graph = self._project.calls.graph()
        own = graph.place_of(module, function)
        for place in graph.reachable([own]):
            for change in self._all.get(place, ()):
                if place != own or change.place.span.start < end:
                    yield change

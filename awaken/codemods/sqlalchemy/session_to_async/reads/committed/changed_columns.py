"""Columns that a statement changes without the objects of its session, read after the commit.

A synchronous session gives the new values, because its commit expires the objects. A session that
keeps them gives the old ones, so they are reloaded. A statement that gives them after the commit
does that, or else a refresh in front of the read.
"""

from __future__ import annotations

import ast
from itertools import product
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import (
    UnseenChange,
    has_rows_of,
    unseen_changes,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import reads_of_object
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_property
from awaken.project.source.worklist import Worklist, multimap
from awaken.project.values.domain import Values, classes_in, instances_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function


class ChangedColumns:
    """Answers for one program; ``later`` are the loads after commits."""

    def __init__(self, project: Project, loading: Loading, later: Iterable[Later]) -> None:
        self._project = project
        self._loading = loading
        self.loads = frozenset(
            load.place
            for load in later
            if load.kind == "load" and self._all and self._is_changed(load.place)
            if not loading.leads_back(load.place)
        )
        """The loads that give objects whose rows the same function has changed."""

    def _is_changed(self, load: Place) -> bool:
        for module, call in self._project.calls_at(load)[:1]:
            function = module.enclosing_def(call)
            loaded = self._project.values.of(module, call).alternatives
            owners = {instance.qualified for instance in instances_in(loaded)}
            if function is not None and self._project.orm.commits.reloads.reload_by(module, call):
                changes = [*self._run_by(module, function, load.span.start, is_own=True)]
                pairs = product(sorted(owners), changes)
                return any(has_rows_of(self._project, *pair) for pair in pairs)
        return False

    def loaded_again(
        self, module: Module, node: ast.expr, values: Values, names: Iterable[str]
    ) -> frozenset[str]:
        """Return those of some relationships that such a load gives with its objects."""
        owners = classes_in(items_of(values) or values) if self._is_reloaded(module, node) else ()
        lines = (owner for each in owners for owner in self._project.orm.mapping_ancestors(each))
        return frozenset(
            name
            for owner, name in product(lines, names)
            if self._loading.is_loaded_with_objects((owner, name))
        )

    def _is_reloaded(self, module: Module, node: ast.expr) -> bool:
        """Whether one of ``loads`` gave an object, in a variable with a single value."""
        waiting = Worklist[ast.AST]([node])
        for part in waiting:
            match part:
                case ast.Call() if module.place(part) in self.loads:
                    return True
                case ast.Name():
                    waiting += [value] if (value := module.scopes.only_value(part)) else []
                case ast.Call(func=inner) | ast.Attribute(value=inner) | ast.Await(value=inner):
                    waiting += [inner]
        return False

    def names(self, module: Module, node: ast.expr, values: Values) -> frozenset[str]:
        """Return the columns that are read of ``node`` and that its function may change so.

        Statements that delete rows, or whose rows are unknown, are left out.
        """
        function, items = module.enclosing_def(node), items_of(values)
        if self._is_reloaded(module, node):
            return frozenset()
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

    def _run_by(
        self, module: Module, function: Function, end: int, *, is_own: bool = False
    ) -> Iterator[UnseenChange]:
        """Yield the changes in front of ``end`` that a function makes: itself if ``is_own``.

        Else by its calls as well.
        """
        graph = self._project.calls.graph()
        own = graph.place_of(module, function)
        for place in [own] if is_own else graph.reachable([own]):
            for change in self._all.get(place, ()):
                if place != own or change.place.span.start < end:
                    yield change

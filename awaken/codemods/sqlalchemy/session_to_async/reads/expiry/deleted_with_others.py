"""Objects whose rows the database deletes or changes with another one: ``ondelete`` of a key.

The session learns nothing of it. A commit expired these objects, so that ``get`` found no row.
Objects that keep their values are given as they were.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import loads_below
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.object_uses import Uses
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import (
    UnseenChange,
    unseen_changes,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import written_statements
from awaken.kit.search import is_imported
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function
from awaken.project.values.domain import ClassOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import SharedSessions
    from awaken.contract import Place
    from awaken.project.frameworks.sqlalchemy.models import MappedClass

_WORD = b"ondelete"
_DELETED = re.compile(rb"\bondelete\b")
_SET = re.compile(rb"\bondelete\b[\"']?\s*[=:]\s*[\"']SET", re.IGNORECASE)


class DeletedWithOthers(Uses):
    """Answers for one program, whose tests may share sessions with requests."""

    def __init__(
        self, writes: Writes, loaded: Callable[[str], Iterable[str]], shared: SharedSessions
    ) -> None:
        super().__init__(writes, loaded)
        self._shared = shared
        changes = dict.fromkeys(unseen_changes(writes.project))
        self._unseen = [change for change in changes if not self._is_apart(change.place)]

    def may_differ(self, module: Module, load: ast.Call) -> bool:
        """Whether a load may give such an object, or comes after a request to another session.

        The deletion is one of its callers, its own, or that of a request. Or the program changes
        rows of such a class without its objects.
        """
        if self._shared.is_behind_request(module, load) or self._is_changed_unseen(module, load):
            return True
        function = function_around(module, load) if self._project.files_with((_WORD,)) else None
        return (
            isinstance(function, Function)
            and any(self._is_declared(name, said) for name, said in self._given(module, load))
            and (self._shared.is_sent(module, load) or self._is_deleting(module, function))
        )

    def _is_changed_unseen(self, module: Module, load: ast.Call) -> bool:
        """Whether a statement that changes no objects may change rows of which a load gives them.

        A statement that deletes rows leaves the others as they are; ``get`` gives the object.
        """
        reload = self._project.orm.commits.reloads.reload_by(module, load) if self._unseen else None
        if reload is None:
            return False
        named = [(name, said) for name, said in self._given(module, load) if self._mapped(name)]
        return not (named and reload.is_certain) or any(
            (change.is_deletion and self._is_declared(name, said))
            or ((reload.by_key or not change.is_deletion) and self._has_rows_of(name, change))
            for change in self._unseen
            for name, said in named
        )

    def _is_apart(self, change: Place) -> bool:
        """Whether a change is that of a script, in which no session loads objects."""
        graph = self._project.calls.graph()
        for module, node in self._project.expressions_at(change):
            function = function_around(module, node)
            is_served = isinstance(function, Function) and self._project.web.endpoints.running(
                module, function
            )
            if is_served or is_test_file(module.path) or is_imported(self._project, module):
                return False
            around = graph.reaching({graph.place_around(module, node)})
            return not any(loads_below(self._project, [*around]))
        return False

    def _has_rows_of(self, qualified: str, change: UnseenChange) -> bool:
        """Whether an object of a class may have a row that a statement changes."""
        line = {
            *self._project.orm.mapping_ancestors(qualified),
            *self._project.all_subclasses(qualified),
        }
        if change.owner or not change.table:
            return not change.owner or change.owner in line
        tables = {mapped.tablename for mapped in map(self._mapped, line) if mapped is not None}
        return not tables.isdisjoint({None, change.table})

    def _mapped(self, qualified: str) -> MappedClass | None:
        return self._project.orm.mapped_class(qualified)

    def _given(self, module: Module, load: ast.Call) -> Iterator[tuple[str, re.Pattern[bytes]]]:
        """Yield the classes that a load names, with what a key of theirs has to say."""
        reload = self._project.orm.commits.reloads.reload_by(module, load)
        if reload is not None and reload.by_key and load.args:
            for value in self._project.values.of(module, load.args[0]).alternatives:
                if isinstance(value, ClassOf):
                    yield value.qualified, _DELETED
        statement = None if reload is None else reload.statement
        for written in () if statement is None else written_statements(module, statement):
            for node in module.walk(written):
                if isinstance(node, ast.Name | ast.Attribute):
                    yield self._project.qualified_name(module, node) or "", _SET

    def _is_declared(self, qualified: str, said: re.Pattern[bytes]) -> bool:
        """Whether a mapped class, or one that it inherits from, has such a key."""
        is_mapped = self._mapped(qualified) is not None
        return any(
            said.search(home.source.text, facts.span.start, facts.span.end)
            for facts in (self._project.class_line(qualified) if is_mapped else ())
            for home in self._project.modules_at([facts.path])
        )

    def _is_deleting(self, module: Module, function: Function) -> bool:
        """Whether a function deletes, or calls what does, or may be called by what does."""
        graph = self._project.calls.graph()
        around = graph.reaching({graph.place_of(module, function)})
        return not self._all_deleting.isdisjoint(around)

    @cached_property
    def _all_deleting(self) -> frozenset[FunctionPlace]:
        return self._deleting.union(*self._deleting_of.values())

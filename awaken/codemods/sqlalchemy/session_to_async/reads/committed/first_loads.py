"""Loads before that of an object: a refresh repeats the options of the first one.

A session gives the object that it has. A later statement loads what its options name. But the
object keeps the options that it came with (SQLAlchemy, ``loading._instance``: ``load_options``).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_loaded import (
    classes_given,
    loaded_by_options,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.kit.search import modules_with
from awaken.knowledge.injection import injection
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import origins_of

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.contract import Place
    from awaken.project.names.functions.injections import Provider

_Call = tuple[Module, ast.Call]


class FirstLoads:
    """Answers for one program; ``loading`` says which relationships the mapping loads."""

    def __init__(self, writes: Writes, loading: Loading) -> None:
        self._project, self._writes, self._loading = writes.project, writes, loading
        self._read_of = ReadOf(writes.project)

    def left_by_refresh(self, module: Module, refresh: ast.Call, given: ast.expr) -> list[str]:
        """Return the relationships of an object that its refresh may leave, and that are read then.

        Statements load these, and another one of the request may have given the object before.
        """
        values = self._project.values.of(module, given).alternatives
        owners = mapped_in(self._project, values)
        left = {name for each in owners for name in self._loading.read_by_themselves(each)}
        origins = [origin for origin in origins_of(values) if not origin.way]
        own = {each.place for each in self._project.orm.reads.calls_behind(origins)} if left else ()
        left &= self._read_later(module, refresh, given, own) if own else set()
        function = module.enclosing_def(given) if left else None
        if function is None:
            return []
        earlier = (*self._in_dependencies(module, function), *_earlier_loads(module, function, own))
        is_given = any(
            place not in own and self._writes.is_kin(name, owner)
            for home, call in earlier
            for place, name in classes_given(self._project, home, call, self._loading.loaded_ahead)
            for owner in owners
        )
        # The first statement of all gives its object the options that the refresh repeats.
        return sorted(left) if is_given else []

    def _read_later(
        self, module: Module, refresh: ast.Call, given: ast.expr, own: Collection[Place]
    ) -> set[str]:
        """Return what is read of the object of a variable after a refresh.

        A function that gets the object may read all that the options of its ``own`` loads name.
        """
        values = self._project.values.of(module, given).alternatives
        reads = module.scopes.reads_of(given) if isinstance(given, ast.Name) else ()
        later = [read for read in reads if module.span(read).start > module.span(refresh).end]
        names = set[str]()
        for read in later:
            names |= self._read_of.names(module, read, values, is_many=False)
            if use_of(module, read).way not in {"attribute", "returned"}:
                for place in own:
                    names |= {name for _, name in loaded_by_options(self._project, place)}
        return names

    @cached_method
    def _in_dependencies(self, module: Module, function: Function) -> list[_Call]:
        """Return the loads in the dependencies of an endpoint; of other functions, in all."""
        project = self._project
        providers = project.injections.of_function(module, function)
        if not function.decorator_list:
            # Any endpoint may call it.
            providers = self._all_providers()
        functions = [*project.web.endpoints.depended_on(providers)]
        run = [pair for home, each in functions for pair in project.calls.run_inside(home, [each])]
        return [
            pair for each in dict.fromkeys([*functions, *run]) for pair in _loading_calls(*each)
        ]

    def _all_providers(self) -> Iterator[Provider]:
        words = [name.rpartition(".")[2].encode() for name in sorted(injection().dependencies)]
        for module in modules_with(self._project, words):
            yield from self._project.injections.providers_below(module, module.tree)


def _loading_calls(module: Module, function: Function) -> Iterator[_Call]:
    """Yield the calls of a function that may be those by which a session loads."""
    for call in module.nodes_below(function, ast.Call):
        if isinstance(call.func, ast.Attribute) and last_name(call.func) in LOADING:
            yield module, call


def _earlier_loads(module: Module, function: Function, own: Collection[Place]) -> Iterator[_Call]:
    """Yield the loads of a function before its ``own`` ones."""
    starts = [place.span.start for place in own if place.path == module.path]
    for _, call in _loading_calls(module, function):
        if any(module.span(call).end <= start for start in starts):
            yield module, call

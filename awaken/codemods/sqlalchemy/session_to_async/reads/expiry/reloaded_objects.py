"""Commits of tests, and rollbacks of what gives requests its session.

A synchronous session expires its objects when it commits. So what a function of the program gets
after that has the values of a request to another session. A session that keeps objects returns
them as they were. A rollback expires them in both, and an asynchronous session loads nothing when
the test reads them.

The mapping loads a relationship with its object. A test that adds rows by their keys later reloads
it before a function of the program reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.added_functions import added_function
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    are_read,
    called_around,
    is_read_before,
    loads_below,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import gives_relationships
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import (
    SharedSessions,
    reloading_relationships,
)
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.contract import Place
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later


_IMPORTS = {
    "suppress": "contextlib",
    "inspect": "sqlalchemy",
    "InvalidRequestError": "sqlalchemy.exc",
}
_CODE = '''\
def {name}(session):
    """Return what loads the objects of a session again, once they are expired."""
    states = [{inspect}(instance) for instance in session.identity_map.values()]
    loaded = [(state.object, state.dict.keys() & state.mapper.attrs.keys()) for state in states]

    def reload(session):
        for instance, names in loaded:
            for name in names if instance in session else ():
                with {suppress}({InvalidRequestError}):
                    getattr(instance, name)

    return reload
'''


def reloaded_objects(
    project: Project, rule: str, shared: SharedSessions, stale: StaleRelationships
) -> Iterator[Member]:
    """Yield what is written around these commits and rollbacks."""
    for module, giving, name in shared.sessions_given:
        for node in module.walk(module.enclosing_function(giving)):
            match node:
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="rollback"))):
                    if module.text_of(owner) == module.text_of(name):
                        yield _member(Site(rule, module, node), module.text_of(name), "rollback")
    for module, function, call in _commits_of_tests(project):
        site = Site[ast.AST](rule, module, module.statement_of(call) or call)
        session = _session(call)
        if shared.is_behind_request(module, call):
            if any(loads_below(project, called_around(project, module, function, after=call))):
                yield _member(site, session, "commit")
        elif stale.are_read_after(module, function, call):
            message = f"relationships of the objects in `{session}` are reloaded after the commit"
            edits = reloading_relationships(project, site, session, "after")
            yield Member(site, Rewrite(message, [*edits]), f"`{session}`")


def _commits_of_tests(project: Project) -> Iterator[tuple[Module, Function, ast.Call]]:
    """Yield the commits of sessions in variables that are statements in files of tests."""
    for commit in project.orm.commits.all():
        is_asked = not commit.is_async and is_test_file(commit.place.path)
        for module, call in project.calls_at(commit.place)[:1] if is_asked else ():
            function, statement = function_around(module, call), module.parent(call)
            if (
                isinstance(statement, ast.Expr)
                and isinstance(function, Function)
                and _session(call)
            ):
                yield module, function, call


def _session(commit: ast.Call) -> str:
    """Return the variable whose method ``commit`` calls; nothing if it is no variable's."""
    match commit.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return name
    return ""


class StaleRelationships:
    """Relationships that were loaded before a test wrote their rows, and are read after that."""

    def __init__(self, project: Project, writes: Writes, loading: Loading) -> None:
        self._project = project
        self._writes = writes
        self._loading = loading

    def are_read_after(self, module: Module, function: Function, commit: ast.Call) -> bool:
        """Whether a function that is called after a commit loads such an object, and reads it."""
        span, start = module.span(function), module.span(commit).start
        writes = [
            place
            for place in (self._writes.in_file(module.path) if self._keys else ())
            if span.contains(place.span) and place.span.end <= start
        ]
        changed = [
            (key, write)
            for key in self._keys
            for write in writes
            if self._writes.changes(write, *key)
        ]
        after = called_around(self._project, module, function, after=commit) if changed else []
        loads = list(loads_below(self._project, after))
        return any(
            self._gives(loads, key)
            and are_read(self._project, after, key[1], "delete")
            and self._was_loaded(module, function, write, key)
            for key, write in changed
        )

    def _was_loaded(self, module: Module, function: Function, write: Place, key: Key) -> bool:
        """Whether such an object was loaded before a write, and its relationship was not kept."""
        node, fixtures = next(module.expressions_at({write.span})), self._fixtures(module, function)
        before = called_around(self._project, module, function, before=node) + fixtures
        start, end = module.span(function).start, write.span.start
        is_refreshed = self._loading.is_loaded_with_objects(key) and any(
            start < place.span.start < end and self._writes.refreshes(place)
            for place in self._writes.in_file(module.path)
        )
        is_loaded = is_refreshed or self._gives(loads_below(self._project, before), key)
        is_kept = self._are_kept and (
            is_read_before(self._project, write, key[1])
            or are_read(self._project, fixtures, key[1])
        )
        return is_loaded and not is_kept

    @cached_property
    def _keys(self) -> list[Key]:
        return sorted(self._loading.keys(declared=not self._are_kept))

    @cached_property
    def _are_kept(self) -> bool:
        """Whether commits of tests expire nothing, as they are: what was loaded stays."""
        expiry = self._project.orm.reads.expiry
        expiring = expiry.expiring()
        if expiring is None:
            return expiry.never_by_commit()
        return not any(is_around_tests(module.path) for module, _ in expiring)

    def _gives(self, loads: Iterable[Later], key: Key) -> bool:
        """Whether one of ``loads`` gives objects with a relationship."""
        is_loading = self._loading.loading_of([key])
        return any(
            gives_relationships(self._project, module, call, is_loading)
            for load in loads
            for module, call in self._project.calls_at(load.place)[:1]
        )

    def _fixtures(self, module: Module, function: Function) -> list[FunctionPlace]:
        """Return the fixtures that a test asks for by its parameters, and what these ask for."""
        graph, requests = self._project.calls.graph(), self._project.coroutine_tests.requests
        return [graph.place_of(*fixture) for fixture in requests.fixtures_of(module, function)]


def _member(site: Site[ast.AST], session: str, ends: str) -> Member:
    helper, needed = added_function(site, "reloading", _CODE, _IMPORTS)
    again, place = site.module.scopes.fresh_name("reload"), site.module.place(site.node)
    note = f"{again} = await {session}.run_sync({helper})\n"
    load = f"await {session}.run_sync({again})\n"
    if ends == "commit":
        edits = [site.insert_statements(place, "after", f"{note}{session}.expire_all()\n{load}")]
    else:
        edits = [
            site.insert_statements(place, "before", note),
            site.insert_statements(place, "after", load),
        ]
    message = f"the objects in `{session}` are reloaded after the {ends} that follows a request"
    return Member(site, Rewrite(message, [*edits, *needed]), f"`{session}`")

"""Commits of tests, and rollbacks of what gives requests its session.

A synchronous session expires its objects when it commits. So what a function of the program gets
after that has the values of a request to another session. A session that keeps objects returns
them as they were. A rollback expires them in both, and an asynchronous session loads nothing when
the test reads them.

The mapping loads a relationship with its object. A test that adds rows by their keys later reloads
it before a function of the program reads it.

The database deletes or changes rows with another one (``ondelete``). The session learns nothing of
it. A commit expired these objects, so that ``get`` found no row.
Objects that keep their values are given as they were.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.added_functions import added_function
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    are_read,
    called_around,
    is_read_before,
    loads_below,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.object_uses import Uses
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import (
    has_rows_of,
    unseen_changes,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import (
    gives_relationships,
    written_statements,
)
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import (
    SharedSessions,
    reloading_relationships,
)
from awaken.kit.changes import Member
from awaken.kit.search import is_imported
from awaken.kit.sites import Rewrite, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import Function
from awaken.project.values.domain import ClassOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.contract import Place
    from awaken.kit.relationships.sides import Key
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.frameworks.sqlalchemy.models import MappedClass

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
            or (
                (reload.by_key or not change.is_deletion)
                and has_rows_of(self._project, name, change)
            )
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

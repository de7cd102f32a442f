"""Commits of a test after a request, and rollbacks of what gives requests its session.

A synchronous session expires its objects when it commits. So what a function of the program gets
after that has the values of a request to another session. A session that keeps objects returns
them as they were. A rollback expires them in both, and an asynchronous session loads nothing when
the test reads them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.added_functions import added_function
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import loads_below
from awaken.codemods.sqlalchemy.session_to_async.suites.shared_sessions import SharedSessions
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project


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


def reloaded_objects(project: Project, rule: str, shared: SharedSessions) -> Iterator[Member]:
    """Yield what is written around these commits and rollbacks."""
    for module, giving, name in shared.sessions_given:
        for node in module.walk(module.enclosing_function(giving)):
            match node:
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=how))):
                    if how == "rollback" and of == name.id:
                        yield _member(Site(rule, module, node), of, "rollback")
    for commit in project.orm.commits.all():
        is_asked = not commit.is_async and is_test_file(commit.place.path)
        for module, call in project.calls_at(commit.place)[:1] if is_asked else ():
            statement = module.statement_of(call)
            if (
                isinstance(statement, ast.Expr)
                and statement.value is call
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name)
                and shared.is_behind_request(module, call)
                and _loads_after(project, module, call)
            ):
                yield _member(Site(rule, module, statement), call.func.value.id, "commit")


def _loads_after(project: Project, module: Module, commit: ast.Call) -> bool:
    """Whether functions that load objects are called after a commit, in the function around it."""
    function, graph = function_around(module, commit), project.calls.graph()
    if not isinstance(function, Function):
        return False
    end = module.span(commit).end
    calls = graph.callees(graph.place_of(module, function))
    after = [call for call in calls if call.place.span.start > end]
    return any(loads_below(project, [each for call in after for each in call.functions]))


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

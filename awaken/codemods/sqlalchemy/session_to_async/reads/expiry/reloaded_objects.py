"""Commits of a test after a request: the objects of its session are reloaded.

A synchronous session expires its objects when it commits. So what a function of the program gets
after that has the values of a request to another session. A session that keeps objects returns
them as they were.
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
    "ObjectDeletedError": "sqlalchemy.orm.exc",
}
_CODE = '''\
def {name}(session):
    """Reload all objects of a session, as after a synchronous commit."""
    for instance in list(session.identity_map.values()):
        state = {inspect}(instance)
        loaded = [
            attribute.key
            for attribute in state.mapper.attrs
            if attribute.key in state.dict and "raise" not in str(getattr(attribute, "lazy", ""))
        ]
        if loaded:
            session.expire(instance, loaded)
        with {suppress}({ObjectDeletedError}):
            for name in loaded:
                getattr(instance, name)
'''


def reloaded_objects(project: Project, rule: str, shared: SharedSessions) -> Iterator[Member]:
    """Yield what is written after these commits."""
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
                yield _member(Site(rule, module, statement), call.func.value.id)


def _loads_after(project: Project, module: Module, commit: ast.Call) -> bool:
    """Whether functions that load objects are called after a commit, in the function around it."""
    function, graph = function_around(module, commit), project.calls.graph()
    if not isinstance(function, Function):
        return False
    end = module.span(commit).end
    calls = graph.callees(graph.place_of(module, function))
    after = [call for call in calls if call.place.span.start > end]
    return any(loads_below(project, [each for call in after for each in call.functions]))


def _member(site: Site[ast.AST], session: str) -> Member:
    helper, needed = added_function(site, "reload_objects", _CODE, _IMPORTS)
    code = f"await {session}.run_sync({helper})\n"
    edits = [site.insert_statements(site.module.place(site.node), "after", code), *needed]
    message = f"the objects in `{session}` are reloaded after a request, as the commit did"
    return Member(site, Rewrite(message, edits), f"`{session}`")

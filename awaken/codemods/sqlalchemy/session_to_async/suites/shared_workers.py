"""Workers of a test whose jobs share one session: they run one job after the other.

Jobs of one event loop change where one of them awaits. With a synchronous session none did so while
it waited for the database; an asynchronous session serves one statement at a time, and raises.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.asynchronous.boundaries import Workers, boundaries
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project


def shared_workers(project: Project, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the workers of tests whose jobs get a session from outside of them."""
    for known in boundaries().workers:
        words = sorted({name.rpartition(".")[2].encode() for name in known.names})
        for module in modules_with(project, words):
            if not is_around_tests(module.path):
                continue
            for node in module.nodes(ast.Call):
                if _shares(project, module, node, known):
                    site = Site(rule, module, node)
                    message = "its jobs share a session, so they run one after the other"
                    edits = [site.add_keyword(node, known.together, "1")]
                    yield Member(site, Rewrite(message, edits), f"`{module.excerpt(node)}`")


def _shares(project: Project, module: Module, call: ast.Call, known: Workers) -> bool:
    """Whether a call makes a worker whose jobs share a session, as many as there may be at once."""
    if project.qualified_name(module, call.func) not in known.names:
        return False
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or known.together in given:
        return False
    return any(
        _hands_on(project, *pair)
        for name in known.starting
        if name in given
        for pair in functions_in(project.values.of(module, given[name]).alternatives)
    )


def _hands_on(project: Project, module: Module, function: Function) -> bool:
    """Whether a function puts a session into something that it did not make itself."""
    return any(
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Subscript | ast.Attribute)
        and isinstance(node.value, ast.Name)
        and project.orm.resource_of(module, node.value) in BLOCKING_SESSIONS
        and all(item.scope.node is not function for item in module.scopes.bindings_of(node.value))
        for node in module.walk(function)
    )

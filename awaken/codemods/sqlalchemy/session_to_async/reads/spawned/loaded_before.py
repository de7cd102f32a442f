"""Statements whose objects are validated in a greenlet: they read these anew.

What such an object loads when it is read, a session that expires nothing when it commits would
give as it was before. Not where something is changed and not written yet: that would be lost.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.spawned.spawned_reads import validates
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
from awaken.project.graph.forwards.resolving import function_around

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module

_EXECUTING = {"execute", "scalars"}


def loaded_before_validation(project: Project, spawned: Iterable[Place]) -> dict[Place, Anew]:
    """Return the calls that execute statements beside ``spawned`` ones, with what tells them so."""
    found: dict[Place, Anew] = {}
    for place in spawned:
        module = project.module(place.path)
        for call in () if module is None else module.calls_at(place.span):
            function = None if module is None else function_around(module, call)
            if module is None or function is None or not validates(call):
                continue
            for node in module.walk(function):
                session = _session_of(project, module, node)
                if session:
                    said = f'{{"populate_existing": not {session}.dirty}}'
                    found[module.place(node)] = Anew("execution_options", said, "dirty")
    return found


def _session_of(project: Project, module: Module, node: ast.AST) -> str:
    """Return how the session is named that a call has execute a statement for objects."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name() | ast.Attribute() as session, attr=name), args=[_]
        ) if name in _EXECUTING:
            is_session = project.orm.resource_of(module, session) in {"scoped", "session"}
            load = project.orm.commits.reloads.of(module, node) if is_session else None
            is_select = load is not None and load.statement is not None
            return module.text_of(session) if is_select else ""
        case _:
            return ""

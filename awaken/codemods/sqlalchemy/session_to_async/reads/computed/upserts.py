"""Upserts that return objects: objects that the session already has are reloaded.

A row that was there keeps its identity, so the session returns the object that it has. A
synchronous session expired that when it committed, and filled it again from the row (SQLAlchemy,
"Using RETURNING with upsert statements").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
from awaken.contract import Place
from awaken.kit.names_here import values_behind
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import chained_calls, last_name

if TYPE_CHECKING:
    from awaken.project import Project

_RUNNING = library_names().executing_methods
_UPDATING = b"on_conflict_do_update"


def returned_by_upserts(project: Project) -> dict[Place, Anew]:
    """Return the calls that run upserts which return objects, with the argument to reload them."""
    places = (
        module.place(call)
        for path in project.files_with((_UPDATING,))
        if (module := project.module(path)) is not None
        for call in _upserts(project, module)
    )
    return dict.fromkeys(places, Anew("execution_options", '{"populate_existing": True}'))


def _upserts(project: Project, module: Module) -> Iterator[ast.Call]:
    for node in module.walk():
        match node:
            case ast.Call(func=ast.Attribute(value=session, attr=method), args=[given, *_]) if (
                method in _RUNNING
            ):
                is_upsert = _returns_objects(project, module, given)
                if is_upsert and not _changes_objects(module, node):
                    proof = project.orm.session_of(module, session)
                    if isinstance(proof, SessionProof) and not proof.kind.startswith("async"):
                        yield node


def _returns_objects(project: Project, module: Module, statement: ast.expr) -> bool:
    """Whether a statement updates rows that are there, and returns objects of a mapped class.

    It may be made in several assignments, as SQLAlchemy documents it with ``excluded``.
    """
    chains = map(chained_calls, values_behind(module, statement))
    calls = {last_name(call.func): call for chain in chains for call in chain}
    returned = calls["returning"].args if "returning" in calls else []
    classes = (project.qualified_name(module, part) for part in returned)
    return _UPDATING.decode() in calls and any(map(project.orm.mapped_class, classes))


def _changes_objects(module: Module, call: ast.Call) -> bool:
    """Whether a function sets attributes before, which would be lost where they are not written."""
    around, start = module.enclosing_function(call), module.span(call).start
    return around is not None and any(
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and module.span(node).start < start
        for node in module.walk(around)
    )

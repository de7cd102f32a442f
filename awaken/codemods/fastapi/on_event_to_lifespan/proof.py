"""The check of a program whose handlers have moved, whatever led to it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from awaken.codemods.fastapi.on_event_to_lifespan.payload import LifespanCode
from awaken.contract import Change, InsertStatements, Place, Problem
from awaken.project import Project
from awaken.project.source.modules import Module


def left_behind(after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield every handler that is left on an application that has a lifespan."""
    files = {path for change in changes for path in change.paths}
    guilty = tuple(change.id for change in changes)
    registrations = after.web.registrations
    moved = {item.made for lifespan in registrations.lifespans for item in lifespan.to.applications}
    for registration in registrations.all:
        made = {application.made for application in registration.to.applications}
        # Earlier problems of other files are not the fault of these changes.
        if made & moved and files & {registration.place.path, *(place.path for place in made)}:
            what = "a handler remains on an application that has a lifespan"
            yield Problem(Place(registration.place.path, registration.place.span), what, guilty)


def out_of_reach(after: Project, changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield every name that a new lifespan calls, and that is undefined in its place."""
    for change in changes:
        for edit in change.edits:
            if isinstance(edit, InsertStatements) and isinstance(edit.data, LifespanCode):
                module = after.module(edit.path)
                for name, place in _unbound(module, edit.data) if module is not None else ():
                    what = f"the lifespan would not find `{name}`"
                    yield Problem(place, what, (change.id,))


def _unbound(module: Module, code: LifespanCode) -> Iterator[tuple[str, Place]]:
    names = _names(code) - set(dir(builtins))
    # A star import may bind any name.
    if module.scopes.import_stars:
        return
    for function in module.functions:
        if function.name == code.name:
            scope = module.scopes.scope_made_by(function)
            place = module.place(function)
            for name in sorted(names):
                if module.scopes.owner(name, scope) is None:
                    yield name, place


def _names(code: LifespanCode) -> set[str]:
    """Return the names in the calls of handlers, and in their conditions.

    Bodies that moved read what they read before.
    """
    parts = [part for part in (*code.startup, *code.shutdown) if not part.is_body]
    trees = [ast.parse(text, filename="") for part in parts for text in (part.code, part.condition)]
    inside = [node for tree in trees for node in ast.walk(tree)]
    # Comprehensions in a moved lambda bind names of their own.
    names = [node for node in inside if isinstance(node, ast.Name)]
    return {node.id for node in names} - {
        node.id for node in names if isinstance(node.ctx, ast.Store)
    }

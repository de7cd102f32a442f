"""Mocks of sessions, which get the statements that load more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.caveats.replaced_names import doubles_passed
from awaken.knowledge.library_names import library_names
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project

_EXECUTING = library_names().executing_methods | library_names().by_key | {"query"}
_CHANGED = {"get", "query"}
"""Methods of which the calls change, and not only their statements."""


def mocked_sessions(project: Project, statement: Place) -> tuple[list[str], tuple[Place, ...]]:
    """Return what tests have in the place of the session that gets a statement.

    Returned are clauses and places.
    """
    replaced = project.orm.replaced_methods
    for module, call in project.calls_at(statement)[:1]:
        changed = _CHANGED & {last_name(call.func)}
        for item in replaced.of_sessions(changed) if changed else ():
            if item.is_put and replaced.may_meet(item, module, call):
                return [f"{item.why}, and a mock gets the changed statement"], (item.place,)
        function = module.enclosing_def(call)
        if function is not None:
            for double in doubles_passed(project, module, _EXECUTING, function):
                clause = f"{double.path} mocks the session, and the mock gets the changed statement"
                return [clause], (double,)
    return [], ()

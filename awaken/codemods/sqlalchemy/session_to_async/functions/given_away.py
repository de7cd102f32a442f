"""Sessions that a function gives to something of which nothing is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import arguments_of
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project


def given_to_unknown(
    project: Project, module: Module, function: FunctionPlace
) -> Iterator[ast.Call]:
    """Yield the calls by which ``function`` gives a session to what is not known."""
    for call in project.calls.graph().callees(function):
        for node in module.calls_at(call.place.span) if call.kind == "unknown" else ():
            arguments = arguments_of(node)
            named = [part for part in arguments if isinstance(part, ast.Name | ast.Attribute)]
            if any(_is_resource(project, module, part) for part in named):
                yield node


def caveats_of_given(
    project: Project, module: Module, function: FunctionPlace
) -> tuple[list[str], list[Place]]:
    """Return the caveats of these calls, and their places.

    Calls that may mean a function of the program are left out. Its session says whether it is
    synchronous, or it is refused.
    """
    calls = list(given_to_unknown(project, module, function))
    if not calls:
        return [], []
    called = sorted({module.excerpt(call.func) for call in calls})
    names = " and ".join(f"`{callee}`" for callee in called)
    verb = "is" if len(called) == 1 else "are"
    said = (
        f"{names} {verb} given an asynchronous session, and awaken does not know what happens to it"
    )
    return [said], [module.place(call) for call in calls]


def _is_resource(project: Project, module: Module, node: ast.expr) -> bool:
    resource = project.orm.resource_of(module, node)
    return resource is not None and not isinstance(resource, Unknown)

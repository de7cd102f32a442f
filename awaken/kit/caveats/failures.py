"""Code that fails today: who catches the failure, or expects it, here and in what leads here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.graph.leading import Leading
    from awaken.project.source.modules import Module

HIDDEN = "it fails today, and a surrounding `except` hides that"


def caught_around(
    project: Project, module: Module, node: ast.AST, classes: AbstractSet[str | None]
) -> Iterator[Place]:
    """Yield what catches one of ``classes`` around ``node`` in its function, or expects it."""
    for guard in project.effects.guards(module, node):
        if guard.ends is not None or not classes.isdisjoint(guard.catches):
            yield guard.place


def caught_above(
    project: Project, leading: Leading, classes: AbstractSet[str | None]
) -> Iterator[Place]:
    """Yield what catches one of ``classes`` around the calls by which functions lead on."""
    for place in leading.calls:
        for module, node in project.calls_at(place):
            yield from caught_around(project, module, node, classes)


def caught_by_callers(
    project: Project, module: Module, node: ast.AST, classes: AbstractSet[str | None]
) -> Iterator[Place]:
    """Yield what catches one of ``classes`` in the functions that lead to ``node``."""
    function = module.enclosing_function(node)
    if isinstance(function, Function):
        yield from caught_above(project, project.calls.leading_to(module, function), classes)

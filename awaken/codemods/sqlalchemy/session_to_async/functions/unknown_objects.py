"""The one place that makes many calls unknown: a parameter without annotation, say."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.source.modules import Module
    from awaken.project.values.domain import Unknown


def unknown_behind(project: Project, places: Sequence[Place]) -> Unknown | None:
    """Return where it ends what the object is, of which a call at one of ``places`` is a method."""
    for module, receiver in _receivers(project, places):
        unknown = project.values.of(module, receiver).unknown
        if unknown is not None:
            return unknown
    return None


def annotation(project: Project, places: Sequence[Place], kind: str) -> str:
    """Return the annotation to write if that is a parameter without one, or an empty text.

    ``kind`` is the class of the objects on which the methods at ``places`` are called.
    """
    unknown = unknown_behind(project, places) if kind else None
    module = None if unknown is None else project.module(unknown.place.path)
    if module is None or unknown is None:
        return ""
    names = {last_name(receiver) for _, receiver in _receivers(project, places)}
    for node in module.nodes(ast.arg):
        if module.span(node) == unknown.place.span:
            if node.annotation is not None:
                return ""
            # Another object may come from it, as `one` of `for one in node.items()` does.
            if node.arg in names:
                return f"Annotate the parameter with its class: `{node.arg}: {kind}`."
            return f"Annotate the parameter `{node.arg}` with its class."
    return ""


def _receivers(project: Project, places: Sequence[Place]) -> Iterator[tuple[Module, ast.expr]]:
    for place in places:
        for module, call in project.calls_at(place):
            if isinstance(call.func, ast.Attribute):
                yield module, call.func.value

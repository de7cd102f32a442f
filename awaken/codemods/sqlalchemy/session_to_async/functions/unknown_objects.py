"""The one place that makes many calls unknown: a parameter without annotation, say."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.values.domain import Unknown


def unknown_behind(project: Project, places: Sequence[Place]) -> Unknown | None:
    """Return where it ends what the object is, of which a call at one of ``places`` is a method."""
    for place in places:
        module = project.module(place.path)
        for call in () if module is None else module.calls_at(place.span):
            if module is not None and isinstance(call.func, ast.Attribute):
                unknown = project.values.of(module, call.func.value).unknown
                if unknown is not None:
                    return unknown
    return None


def annotated(project: Project, unknown: Unknown | None, kind: str) -> str:
    """Return what to write where that is a parameter without annotation; empty where it is none."""
    module = None if unknown is None or not kind else project.module(unknown.place.path)
    if module is None or unknown is None:
        return ""
    for node in module.walk():
        if isinstance(node, ast.arg) and module.span(node) == unknown.place.span:
            written = f"`{node.arg}: {kind}`" if node.annotation is None else ""
            return f"Annotate the parameter with its class: {written}." if written else ""
    return ""

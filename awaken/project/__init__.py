"""The facts about one program, read with the standard ``ast`` and never by importing it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.project.facade import Project
    from awaken.project.names.classes import ClassFacts, Definition
    from awaken.project.source.lines.site_ids import site_id
    from awaken.project.source.modules import Module
    from awaken.workspace.sources import Snapshot, SourceFile

__all__ = ["ClassFacts", "Definition", "Module", "Project", "Snapshot", "SourceFile", "site_id"]

_HOMES = {
    "ClassFacts": "awaken.project.names.classes",
    "Definition": "awaken.project.names.classes",
    "Module": "awaken.project.source.modules",
    "Project": "awaken.project.facade",
    "Snapshot": "awaken.workspace.sources",
    "SourceFile": "awaken.workspace.sources",
    "site_id": "awaken.project.source.lines.site_ids",
}


def __getattr__(name: str) -> object:
    # A run that only looks whether its last answer still holds needs searches, and no facade.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

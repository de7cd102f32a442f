"""The facts about one program, read with the standard ``ast`` and never by importing it."""

from __future__ import annotations

from awaken.project.facade import Project
from awaken.project.names.classes import ClassFacts, Definition
from awaken.project.source.modules import Module, site_id
from awaken.workspace.sources import Snapshot, SourceFile

__all__ = [
    "ClassFacts",
    "Definition",
    "Module",
    "Project",
    "Snapshot",
    "SourceFile",
    "site_id",
]

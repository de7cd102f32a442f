"""What is known about one program, read with the standard ``ast`` and never by importing it."""

from __future__ import annotations

from awaken.project.classes import ClassFacts, Definition
from awaken.project.facade import Project
from awaken.project.modules import Module, site_id
from awaken.project.sources import Snapshot, SourceFile

__all__ = [
    "ClassFacts",
    "Definition",
    "Module",
    "Project",
    "Snapshot",
    "SourceFile",
    "site_id",
]

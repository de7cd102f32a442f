"""Classes with all that they inherit from, as methods that become others are named and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.project.graph.forwards.call_graph import FunctionPlace

if TYPE_CHECKING:
    from awaken.project import Project


def owner_of(project: Project, method: FunctionPlace) -> str:
    """Return the qualified name of the class that has a method."""
    home = project.layout.name_of(method.path)
    return f"{home}.{method.qualname.rpartition('.')[0]}"


def names_taken(project: Project, classes: Iterable[str]) -> set[str]:
    """Return the names that classes have for attributes, their own and those of their bases."""
    return {
        name
        for qualified in classes
        for facts in project.class_line(qualified)
        for name in facts.attributes
    }

"""Classes with all that they inherit from, as methods that become others are named and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.classes import ClassFacts

if TYPE_CHECKING:
    from awaken.project import Project

HARMLESS = frozenset({
    "abc.ABC", "builtins.object", "typing.Generic", "typing.Protocol",
    "typing_extensions.Protocol",
})  # fmt: skip
"""Bases outside of the program that make no objects, and read no attribute by its name."""


def owner_of(project: Project, method: FunctionPlace) -> str:
    """Return the qualified name of the class that has a method."""
    home = project.layout.name_of(method.path)
    return f"{home}.{method.qualname.rpartition('.')[0]}"


def line_of(project: Project, qualified: str) -> Iterator[ClassFacts]:
    """Yield a class of the program and all in it that the class inherits from."""
    waiting, seen = [qualified], set[str]()
    while waiting:
        current = waiting.pop()
        facts = project.class_facts(current) if current not in seen else None
        seen.add(current)
        if facts is not None:
            yield facts
            waiting += filter(None, facts.bases)


def names_taken(project: Project, classes: Iterable[str]) -> set[str]:
    """Return the names that classes have for attributes, their own and those of their bases."""
    return {
        name
        for qualified in classes
        for facts in line_of(project, qualified)
        for name in facts.members | facts.assigned
    }

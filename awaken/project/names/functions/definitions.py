"""Functions of the project by their qualified names, without their trees."""

from __future__ import annotations

from typing import NamedTuple

from awaken.project.names.file_facts import FactsIndex, WrittenFunction
from awaken.project.names.resolution import Names


class FoundFunctions(NamedTuple):
    """The definitions of one name in the file at ``path``: several where it is defined again."""

    path: str
    functions: tuple[WrittenFunction, ...]


class Functions:
    """Finds functions and methods by their names."""

    def __init__(self, names: Names, facts: FactsIndex) -> None:
        self._names = names
        self._facts = facts

    def functions_called(self, qualified: str) -> FoundFunctions | None:
        """Return what the project defines as a function called ``package.module.Class.method``."""
        located = self._names.locate(qualified)
        if located is None:
            return None
        functions = self._facts.written_functions(located.path, ".".join(located.rest))
        return FoundFunctions(located.path, functions) if functions else None

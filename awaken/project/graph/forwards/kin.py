"""Kin: the methods that one call may reach in place of each other, and so change together."""

from __future__ import annotations

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.families import Families
from awaken.project.names.functions.definitions import Functions
from awaken.project.source.memo import cached_items
from awaken.project.values.evaluation import Evaluator


class Kin:
    """Answers for one program, of which it is given the functions and families of methods."""

    def __init__(self, evaluator: Evaluator, functions: Functions, families: Families) -> None:
        self._evaluator = evaluator
        self._functions = functions
        self._families = families

    def override_set(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the methods that change with ``function``, itself among them.

        Those that override it or are overridden by it, and those of classes that fulfil the same
        protocol. A function that is no method is alone.
        """
        owner, _, method = function.qualname.rpartition(".")
        home = self._evaluator.names.layout.name_of(function.path)
        if not owner or self._evaluator.classes.facts(f"{home}.{owner}") is None:
            return (function,)
        return tuple(sorted({function, *self.methods(f"{home}.{owner}", method)}))

    @cached_items
    def methods(self, qualified: str, method: str) -> list[FunctionPlace]:
        """Return all that ``method`` of an instance of a class may be, with what is kin to it.

        None for an external class.
        """
        found: set[FunctionPlace] = set()
        if self._evaluator.classes.facts(qualified) is None:
            return []
        for name in self._families.overriding_classes(qualified, method):
            named = self._functions.functions_called(f"{name}.{method}")
            if named is not None:
                qualname = f"{self._name_within(name, named.path)}.{method}"
                found |= {FunctionPlace(named.path, one.start, qualname) for one in named.functions}
        return sorted(found)

    def _name_within(self, qualified: str, path: str) -> str:
        """Return the name of a class inside of its file."""
        return qualified.removeprefix(f"{self._evaluator.names.layout.name_of(path)}.")

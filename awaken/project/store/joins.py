"""Questions that the facts of files answer together, without a tree: yes, no, or ask the evaluator.

The evaluator is the judge. A join says yes or no where the code has one meaning: a name for one
function of the program, undecorated or with decorators that pass it through. Everything else is
None. ``tests/project/test_joins.py`` holds that no join contradicts it.
"""

from __future__ import annotations

import ast

from awaken.project.names.file_facts import WrittenFunction
from awaken.project.names.functions.decorators import METHODS, TRANSPARENT
from awaken.project.names.functions.definitions import Functions
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module

_PLAIN = TRANSPARENT - METHODS


class Joins:
    """Answers for one program."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._functions = Functions(names, names.facts)

    def function(self, module: Module, node: ast.expr) -> WrittenFunction | None:
        """Return the function at the top of a file that the name ``node`` means."""
        qualified = self._names.qualified_name(module, node)
        located = None if qualified is None else self._names.locate(qualified)
        if qualified is None or located is None or len(located.rest) != 1:
            return None
        return self._only(qualified)

    def gives_coroutine(self, module: Module, node: ast.expr) -> bool | None:
        """Whether ``node`` is a coroutine: the call of a function of the program by its name."""
        function = self.function(module, node.func) if isinstance(node, ast.Call) else None
        return None if function is None else _is_coroutine(function)

    def _only(self, qualified: str) -> WrittenFunction | None:
        """Return the one function with this name; None where anything else may run."""
        found = self._functions.functions_called(qualified)
        if found is None or len(found.functions) != 1 or not found.functions[0].alone:
            return None
        names = {
            self._names.qualified_written_name(found.path, one.name)
            for one in found.functions[0].decorators
        }
        return found.functions[0] if names <= _PLAIN else None


def _is_coroutine(function: WrittenFunction) -> bool | None:
    """Whether a call gives a coroutine; what any other function returns, the evaluator says."""
    return None if function.gives == "anything" else function.gives == "coroutine"

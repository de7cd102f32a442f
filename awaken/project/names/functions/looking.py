"""Functions that look at a function which they are given, and neither call nor keep it."""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.knowledge.library_names import library_names
from awaken.project.names.resolution import Names
from awaken.project.names.usages import CALLING
from awaken.project.source.expressions.uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameter_getting

_LOOKING = library_names().looking | library_names().casts
_DEPTH = 3
"""A function of the project may hand it to another one, so often."""


class Looking:
    """Answers what is done with a function that a call is given.

    ``definition`` finds the only function of the project with a qualified name.
    """

    def __init__(
        self, names: Names, definition: Callable[[str], tuple[Module, Function] | None]
    ) -> None:
        self._names = names
        self._definition = definition

    def is_looked_at(self, module: Module, call: ast.Call, given: ast.Name) -> bool:
        """Whether what ``call`` calls only looks at its positional argument ``given``.

        It is known of some functions of Python, and read of those of the project.
        """
        return self._looks(module, call, given, _DEPTH)

    def _looks(self, module: Module, call: ast.Call, given: ast.Name, depth: int) -> bool:
        qualified = self._names.qualified(module, call.func)
        if (qualified or f"builtins.{last_name(call.func)}") in _LOOKING:
            return True
        pair = self._definition(qualified) if qualified and depth else None
        if pair is None or pair[1].decorator_list:
            return False
        home, function = pair
        parameter = parameter_getting(call, function, given, 0)
        return parameter is not None and all(
            self._is_look(home, node, depth - 1)
            for node in home.walk(function)
            if isinstance(node, ast.Name) and node.id == parameter.arg
        )

    def _is_look(self, module: Module, node: ast.Name, depth: int) -> bool:
        way, above = use_of(module, node)
        if way == "argument":
            return self._looks(module, above, node, depth)
        is_plain = way == "attribute" and above.attr not in CALLING
        return is_plain or way in {"compared", "formatted"}

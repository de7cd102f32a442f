"""Functions that only files of Alembic call, and that make their own engine there.

A function that asks Alembic for its operations or its context only works there.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.migrations import is_of_alembic
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


class Helpers:
    """Knows those of one program: their work with their engine stays synchronous."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[str, frozenset[int]] = {}

    def hold(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is inside one of them."""
        around = function_around(module, node)
        if around is None:
            return False
        if module.path not in self._found:
            self._found[module.path] = frozenset(self._in_file(module))
        return module.span(around).start in self._found[module.path]

    def _in_file(self, module: Module) -> set[int]:
        makers = (
            function_around(module, one.call) for one in self._project.orm.engines.in_file(module)
        )
        return {
            module.span(one).start
            for one in makers
            if one is not None
            and (self._asks(module, one) or self._serves(module, module.span(one).start))
        }

    def _asks(self, module: Module, function: ast.AST) -> bool:
        """Whether a function names what is there only while revisions run."""
        return any(
            isinstance(one, ast.Name)
            and self._project.qualified_name(module, one) in {"alembic.context", "alembic.op"}
            for one in module.walk(function)
        )

    def _serves(self, module: Module, start: int) -> bool:
        graph = self._project.calls.graph()
        function = graph.function_at(module.path, start)
        callers = [] if function is None else graph.callers(function)
        files = [self._project.module(one.place.path) for one in callers]
        return bool(files) and all(one is not None and is_of_alembic(one) for one in files)

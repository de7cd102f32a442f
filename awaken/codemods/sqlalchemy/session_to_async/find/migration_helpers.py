"""Functions that only files of Alembic call, and that make their own engine there.

A function that asks Alembic for its operations or its context only works there.
"""

from __future__ import annotations

import ast
from operator import attrgetter

from awaken.kit.rule import ProjectFacts
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic


class Helpers(ProjectFacts):
    """Knows those of one program: their work with their engine stays synchronous."""

    def hold(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is inside one of them."""
        around = function_around(module, node)
        if around is None:
            return False
        return module.span(around).start in self._in_file(module)

    @cached_by(attrgetter("path"))
    def _in_file(self, module: Module) -> set[int]:
        makers = (
            function_around(module, item.call) for item in self._project.orm.engines.in_file(module)
        )
        return {
            module.span(maker).start
            for maker in makers
            if maker is not None
            and (self._asks(module, maker) or self._serves(module, module.span(maker).start))
        }

    def _asks(self, module: Module, function: ast.AST) -> bool:
        """Whether a function names what is there only while revisions run."""
        return any(
            isinstance(node, ast.Name)
            and self._project.qualified_name(module, node) in {"alembic.context", "alembic.op"}
            for node in module.walk(function)
        )

    def _serves(self, module: Module, start: int) -> bool:
        graph = self._project.calls.graph()
        function = graph.function_at(module.path, start)
        callers = [] if function is None else graph.callers(function)
        files = [self._project.module(caller.place.path) for caller in callers]
        return bool(files) and all(file is not None and is_of_alembic(file) for file in files)

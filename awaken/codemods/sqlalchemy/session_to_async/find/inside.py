"""The code that runs inside of a synchronous session."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project


@dataclass(frozen=True, slots=True)
class Inside:
    """``functions`` stay plain, ``calls`` are those of them that `run_sync` makes."""

    functions: frozenset[FunctionPlace] = frozenset()
    calls: Mapping[Place, Operation] = field(default_factory=dict)

    def holds(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is in a function that stays plain, its header included."""
        return holds(self.functions, module, node)

    def reads(self, project: Project, place: Place) -> bool:
        """Whether a place is in such a function: reads there load by themselves."""
        module = project.module(place.path)
        nodes = (
            module.function_at(one.start)
            for one in self.functions
            if module is not None and one.path == place.path
        )
        return module is not None and any(
            one is not None and module.span(one).contains(place.span) for one in nodes
        )


def holds(functions: Collection[FunctionPlace], module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in one of ``functions``, its header included."""
    starts = {one.start for one in functions if one.path == module.path}
    return bool(starts) and any(
        isinstance(one, Function) and module.span(one).start in starts
        for one in module.ancestors(node)
    )

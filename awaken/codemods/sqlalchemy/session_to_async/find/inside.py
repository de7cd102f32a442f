"""The code that runs inside of a synchronous session."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project


class Inside(Struct, frozen=True):
    """``functions`` stay plain, ``calls`` are those of them that `run_sync` makes."""

    functions: frozenset[FunctionPlace] = frozenset()
    calls: Mapping[Place, Operation] = field(default_factory=dict)

    def holds(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is in a function that stays plain, its header included."""
        return holds(self.functions, module, node)

    def reads(self, project: Project, place: Place) -> bool:
        """Whether a place is in such a function: reads there load by themselves."""
        here = (function for function in self.functions if function.path == place.path)
        definitions = project.calls.definitions_of(here)
        return any(module.span(node).contains(place.span) for module, node in definitions)


def takes_session(project: Project, module: Module, function: Function) -> bool:
    """Whether a function uses a session that it is passed."""
    for node in module.nodes_below(function, ast.Name):
        parameter = module.scopes.parameter_of(node)
        if parameter is not None and parameter.scope.node is function:
            proof = project.orm.session_of(module, node)
            if isinstance(proof, SessionProof) and proof.kind == "session":
                return True
    return False


def holds(functions: Collection[FunctionPlace], module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is in one of ``functions``, its header included."""
    starts = {function.start for function in functions if function.path == module.path}
    return bool(starts) and any(
        isinstance(ancestor, Function) and module.span(ancestor).start in starts
        for ancestor in module.ancestors(node)
    )

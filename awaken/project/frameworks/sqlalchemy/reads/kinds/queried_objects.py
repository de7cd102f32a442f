"""Objects that a query gives, by how that is written: of which class they are is not known."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.reads.kinds.displays import Displays
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.modules import Module
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import Session, Unknown

_QUERYING = {"get_or_404", "query", "scalar_one", "scalar_one_or_none", "scalars"}
# Much else has these: the value in front, or its name, has to say that it is a session.
_OF_SESSIONS = (library_names().executing_methods - _QUERYING) | {"get", "get_one", "merge"}


class Loaded:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._displays = Displays(evaluator)

    def is_loaded(self, module: Module, node: ast.expr) -> bool:
        """Whether what ``node`` gives may come out of a query, over variables and functions."""
        waiting = Queue[tuple[Module, ast.AST]]([(module, node)])
        for home, part in waiting:
            if self._is_query(home, part):
                return True
            waiting += self._pairs_behind(home, part)
        return False

    def _is_query(self, module: Module, node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute):
            return False
        if node.attr in _OF_SESSIONS:
            values = self._evaluator.values(module, node.value)
            is_session = any(isinstance(value, Session) for value in values)
            return is_session or "session" in module.text_of(node.value).lower()
        return node.attr in _QUERYING

    def _pairs_behind(self, module: Module, node: ast.AST) -> Iterator[tuple[Module, ast.AST]]:
        match node:
            case ast.Name():
                yield from self._bound_pairs(module, node)
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Await(value=value):
                yield module, value
            case ast.Call(func=func, args=args):
                yield module, func
                yield from ((module, argument) for argument in args if isinstance(func, ast.Name))
                yield from self._returned_pairs(module, node)
            case ast.ListComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
                yield from ((module, node.elt), (module, first.iter))
            case _:
                yield from ((module, part) for part in alternatives(node))

    def _bound_pairs(self, module: Module, node: ast.Name) -> Iterator[tuple[Module, ast.AST]]:
        for binding in module.scopes.bindings_of(node):
            if binding.kind == "parameter":
                yield from self._displays.passed_displays(module, binding).nodes
            elif binding.value is not None:
                yield module, binding.value

    def _returned_pairs(self, module: Module, call: ast.Call) -> Iterator[tuple[Module, ast.AST]]:
        called = functions_called(self._evaluator, module, call)
        for callee in () if isinstance(called, Unknown) else called:
            home, function = callee.module, callee.function
            yield from ((home, value) for value in home.outputs_of(function))

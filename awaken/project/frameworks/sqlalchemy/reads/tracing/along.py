"""Values along the attributes of a sight: the owner of each attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.frameworks.sqlalchemy.reads.read_facts import Sight
from awaken.project.frameworks.sqlalchemy.reads.sight_paths import Paths
from awaken.project.frameworks.sqlalchemy.reads.tracing.passed_values import PassedValues
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    Argument,
    Environment,
    Unknown,
    Values,
    union,
    without_origins,
)


class Along:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, passed: PassedValues) -> None:
        self._evaluator = evaluator
        self._passed = passed
        self._paths = Paths(evaluator)

    def path(self, sight: Sight) -> Iterator[tuple[str, Values]]:
        """Yield each attribute that is read at a place, with what it is read from."""
        node = sight.node
        if isinstance(node, Unknown):
            return self._paths.objects(sight, (node,))
        if sight.known:
            first = self._evaluator.values(sight.module, node, sight.known)
            # A statement that loads what `self` says loads other classes for other instances.
            return self._paths.objects(sight, tuple(map(without_origins, first)))
        return self._paths.objects(sight, self._first(sight.module, node))

    def _first(self, module: Module, node: ast.expr) -> Values:
        """Return what an expression may be: in a lambda, by what that is called with."""
        values = self._evaluator.values(module, node)
        if not any(isinstance(value, Unknown) for value in values):
            return values
        known = self._called_with(module, node)
        if not known:
            return values
        return union(*(self._evaluator.values(module, node, value) for value in known))

    def _called_with(self, module: Module, node: ast.expr) -> list[Environment]:
        """Return what the lambdas around an expression may be called with, if that is known."""
        result: list[Environment] = [()]
        for above in module.ancestors(node):
            if not isinstance(above, ast.Lambda):
                continue
            for index, parameter in enumerate((*above.args.posonlyargs, *above.args.args)):
                passed = self._passed.values_for_argument(module, above, index)
                result = [
                    (*alternative, Argument(parameter, module, parameter, (), value))
                    for alternative in result
                    for value in passed or ()
                ] or result
        is_known = result != [()] and len(result) <= MOST_ALTERNATIVES
        return result if is_known else []

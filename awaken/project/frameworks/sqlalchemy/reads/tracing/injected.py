"""Parameters that a framework fills: by ``Depends``, by the fixtures of pytest."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.injection import injection
from awaken.project.frameworks.sqlalchemy.reads.tracing.found import Arrivals
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.passing import default_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import FunctionOf, NoneValue, Producer, Values, union
from awaken.project.values.pytest_fixtures import fixture_for


class Injected:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def add_fixture(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add what pytest passes to a parameter; False where that is no fixture in sight."""
        evaluator = self._evaluator
        fixture = fixture_for(module, function, parameter.arg, evaluator.names, evaluator.load)
        if fixture is not None:
            arrivals.add(_resolved(evaluator.returned(fixture)), module.place(parameter))
        return fixture is not None

    def add(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add what FastAPI passes to a parameter, or its default; whether FastAPI fills it."""
        evaluator = self._evaluator
        markers = list(self._markers(module, function, parameter))
        for home, marker in markers:
            for one in evaluator.values(home, marker):
                if isinstance(one, FunctionOf):
                    arrivals.add(_resolved(evaluator.returned(one)), home.place(marker))
                else:
                    arrivals.stop("the dependency could not be followed", home.place(marker))
        default = default_of(function, parameter)
        if default is not None and not markers:
            arrivals.add(evaluator.values(module, default), module.place(default))
        return bool(markers)

    def _markers(
        self, module: Module, function: Function, parameter: ast.arg
    ) -> Iterator[tuple[Module, ast.expr]]:
        """Yield the dependencies that a default or an annotation names."""
        default = default_of(function, parameter)
        if default is not None:
            yield from self._depends(module, default)
        home, annotation = self._written(module, parameter.annotation)
        if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
            return
        if self._evaluator.names.qualified(home, annotation.value) in injection().annotated:
            for one in annotation.slice.elts[1:]:
                yield from self._depends(home, one)

    def _depends(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.expr]]:
        if not isinstance(node, ast.Call) or not node.args:
            return
        if self._evaluator.names.qualified(module, node.func) in injection().dependencies:
            yield module, node.args[0]

    def _written(
        self, module: Module, annotation: ast.expr | None
    ) -> tuple[Module, ast.expr | None]:
        """Return an annotation, or what the name of a type that is one stands for."""
        if not isinstance(annotation, ast.Name | ast.Attribute):
            return module, annotation
        name = self._evaluator.names.qualified(module, annotation)
        located = None if name is None else self._evaluator.names.locate(name)
        home = None if located is None else self._evaluator.load(located.path)
        if located is None or home is None or len(located.rest) != 1:
            return module, annotation
        bindings = home.scopes.module.bindings.get(located.rest[0], [])
        values = [one.value for one in bindings if one.value is not None]
        return (home, values[0]) if len(bindings) == len(values) == 1 else (module, annotation)


def _resolved(values: Values) -> Values:
    """Return what is passed on: what a generator yields, what a coroutine returns."""
    found: Values = ()
    for one in values:
        if isinstance(one, Producer) and one.how in {"generator", "coroutine", "awaitable"}:
            found = union(found, one.inner)
        elif one != NoneValue():
            found = union(found, (one,))
    return found

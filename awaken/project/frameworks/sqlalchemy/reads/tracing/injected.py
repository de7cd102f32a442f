"""Parameters that a framework fills: by ``Depends``, by the fixtures of pytest."""

from __future__ import annotations

import ast

from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.graph.passing import default_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.calls.parameter_values import passed_on_by
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import fixture_for


class Injected(ProgramFacts):
    """Answers for one program."""

    def add_fixture(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add the value that pytest passes to a parameter; False if it is no visible fixture."""
        evaluator = self._evaluator
        fixture = fixture_for(evaluator, module, function, parameter.arg)
        if fixture is not None:
            arrivals.add(passed_on_by(evaluator.results_of(fixture)), module.place(parameter))
        return fixture is not None

    def add(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add what FastAPI passes to a parameter, or its default; whether FastAPI fills it."""
        evaluator = self._evaluator
        default = default_of(function, parameter)
        providers = list(evaluator.injections.of_parameter(module, parameter, default))
        for home, provider in providers:
            for value in evaluator.values(home, provider):
                if isinstance(value, FunctionOf):
                    arrivals.add(passed_on_by(evaluator.results_of(value)), home.place(provider))
                else:
                    arrivals.stop("the dependency could not be followed", home.place(provider))
        if default is not None and not providers:
            arrivals.add(evaluator.values(module, default), module.place(default))
        return bool(providers)

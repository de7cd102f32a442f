"""Configurations of mocks in tests: ``prices.of.return_value = price``, with the names between."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.doubles.given.called_methods import RESULT
from awaken.project.frameworks.testing import Mocked, Replacement, assigned_attributes
from awaken.project.source.modules import Module
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

EFFECT = "side_effect"


def results_given(
    project: Project, module: Module, replacement: Replacement
) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a test has the mock of a patch give, or have: `get.return_value`, and by what."""
    call, around = replacement.node, module.enclosing_def(replacement.node)
    named = call.keywords if isinstance(call, ast.Call) else []
    told = [(keyword.arg, keyword.value) for keyword in named if keyword.arg in {RESULT, EFFECT}]
    if around is not None and replacement.bound:
        told += assigned_attributes(module, around, replacement.bound)
    yield from _with_results(project, module, told)


def results_given_by_requests(
    project: Project, module: Module, replacement: Replacement
) -> Iterator[tuple[Module, str, ast.expr]]:
    """Yield what tests say of the mock of a patch that a fixture hands on to them."""
    around, requests = module.enclosing_def(replacement.node), project.coroutine_tests.requests
    if around is None or not replacement.bound or requests.name_of(module, around) is None:
        return
    names = [item for item in module.outputs_of(around) if isinstance(item, ast.Name)]
    for _ in (name for name in names if name.id == replacement.bound):
        for request in requests.requests_for(module, around).direct:
            variable = "" if request.parameter is None else request.parameter.arg
            assignments = assigned_attributes(request.module, request.function, variable)
            for result, value in _with_results(project, request.module, assignments):
                yield request.module, result, value


def told_of(project: Project, mocked: Mocked) -> Iterator[tuple[Module, str, ast.expr]]:
    """Yield what tests say of a mock that they make: where it is made, and by its variables."""
    named = [(name, value) for name, value in named_in(mocked.call) if name is not None]
    for name, value in _with_results(project, mocked.module, named):
        yield mocked.module, name, value
    for module, around, variable in mocked.variables:
        for name, value in _with_results(
            project, module, assigned_attributes(module, around, variable)
        ):
            yield module, name, value


def named_in(call: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield the keyword arguments of a call; None where a name is unknown."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    text = key.value if isinstance(key, ast.Constant) else None
                    yield text if isinstance(text, str) else None, value
            case _:
                yield keyword.arg, keyword.value


def results_of(project: Project, module: Module, value: ast.expr) -> Iterator[ast.expr]:
    """Yield what calling ``value`` gives: a lambda or a function of the file, a list of results."""
    match value:
        case ast.Lambda(body=body):
            yield body
        case ast.List(elts=given) | ast.Tuple(elts=given):
            yield from given
        case ast.Name():
            for alternative in project.values.of(module, value).alternatives:
                if isinstance(alternative, FunctionOf) and alternative.module.path == module.path:
                    yield from module.returned_by(alternative.node)


def _with_results(
    project: Project, module: Module, told: Iterable[tuple[str, ast.expr]]
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the configured values, and the results of each ``side_effect``."""
    for name, value in told:
        yield name, value
        before, _, last = name.rpartition(".")
        if last == EFFECT:
            result = f"{before}.{RESULT}".strip(".")
            # It contradicts every other result.
            yield result, value
            for node in results_of(project, module, value):
                yield result, node

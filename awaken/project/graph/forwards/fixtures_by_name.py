"""Fixtures of pytest that are asked for by their names: ``request.getfixturevalue("name")``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import fixture_for

ASKING = "getfixturevalue"


def fixtures_asked_for(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> list[FunctionOf] | None:
    """Return the fixtures that ``call`` may give what they give; None where that is not known.

    Their names are in sight if they are texts, or parameters that ``parametrize`` gives texts.
    """
    function = module.enclosing_function(call)
    if not isinstance(function, Function) or len(call.args) != 1:
        return None
    names = _texts(function, call.args[0])
    if names is None:
        return None
    found = [fixture_for(module, function, name, evaluator.names, evaluator.load) for name in names]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def is_asking(call: ast.Call) -> bool:
    """Whether a call asks for a fixture by its name."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == ASKING


def _texts(function: Function, given: ast.expr) -> set[str] | None:
    match given:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.Name(id=name):
            values = [
                value
                for one in function.decorator_list
                if isinstance(one, ast.Call) and last_name(one.func) == "parametrize"
                for value in parametrized(one, name)
            ]
        case _:
            return None
    known = [one for one in values if isinstance(one, ast.Constant)]
    if not known or len(known) != len(values):
        return None
    return {one.value for one in known if isinstance(one.value, str)}


def parametrized(decorator: ast.Call, name: str) -> Iterator[ast.expr | None]:
    """Yield what ``parametrize`` passes to a parameter; None for what is not in sight."""
    match decorator.args:
        case [ast.Constant(value=str() as text), values, *_]:
            names = [one.strip() for one in text.split(",")]
        case [ast.List(elts=named) | ast.Tuple(elts=named), values, *_]:
            names = [
                one.value
                for one in named
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if len(names) != len(named):
                yield None
                return
        case _:
            yield None
            return
    if name not in names:
        return
    if not isinstance(values, ast.List | ast.Tuple):
        yield None
        return
    for one in values.elts:
        given = one
        is_param = isinstance(one, ast.Call) and last_name(one.func) == "param"
        if is_param and isinstance(one, ast.Call):
            given = ast.Tuple(one.args, ast.Load())
        if len(names) == 1 and not is_param:
            yield given
        elif isinstance(given, ast.List | ast.Tuple) and len(given.elts) == len(names):
            yield given.elts[names.index(name)]
        else:
            yield None

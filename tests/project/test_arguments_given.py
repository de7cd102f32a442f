"""Which argument of a call goes to which parameter of a function."""

from __future__ import annotations

import ast

import pytest
from described import described, values_of

from awaken.project.source.trees import (
    argument_of,
    first_parameter,
    parameter_at,
    parameter_getting,
)


def function_of(parameters: str) -> ast.FunctionDef:
    (node,) = ast.parse(f"def f({parameters}): ...").body
    assert isinstance(node, ast.FunctionDef)
    return node


def call_of(text: str) -> ast.Call:
    node = ast.parse(f"f({text})", mode="eval").body
    assert isinstance(node, ast.Call)
    return node


@pytest.mark.parametrize(
    ("parameters", "passed", "bound", "expected"),
    [
        ("a, b", "1, 2", 0, {"a": "1", "b": "2"}),
        ("a, b", "b=2, a=1", 0, {"a": "1", "b": "2"}),
        ("self, a", "1", 1, {"a": "1"}),
        ("a, *rest, b=None", "1, 2, 3", 0, {"a": "1"}),
        ("a, *rest, b=None", "1, 2, b=3", 0, {"a": "1", "b": "3"}),
        ("a, b, c", "1, *x, c=3", 0, {"a": "1", "c": "3"}),
        ("a, /, **k", "1, a=2", 0, {"a": "1"}),
        ("*a", "a=1", 0, {}),
    ],
)
def test_each_parameter_and_its_argument_name_each_other(parameters, passed, bound, expected):
    function, call = function_of(parameters), call_of(passed)
    args = function.args
    pairs = {
        parameter.arg: argument
        for parameter in (*args.posonlyargs, *args.args, *args.kwonlyargs)
        if (argument := argument_of(call, function, parameter, bound)) is not None
    }
    assert {name: ast.unparse(argument) for name, argument in pairs.items()} == expected
    for name, argument in pairs.items():
        assert parameter_getting(call, function, argument, bound).arg == name


def test_a_key_of_keywords_is_a_parameter_of_its_own():
    call, key = call_of("1, x=2"), ast.arg("x")
    assert ast.unparse(argument_of(call, function_of("a, **k"), key, 0)) == "2"


@pytest.mark.parametrize(
    ("at", "bound", "expected"),
    [(0, 0, "a"), (1, 1, "c"), (3, 0, None), ("c", 0, "c"), ("e", 0, "e"), ("a", 0, None)],
)
def test_the_parameter_at_a_position_or_of_a_keyword(at, bound, expected):
    parameter = parameter_at(function_of("a, /, b, c, *d, e"), at, bound)
    assert (parameter and parameter.arg) == expected


@pytest.mark.parametrize(
    ("parameters", "name"), [("self, a", "self"), ("a, /, b", "a"), ("*a", "")]
)
def test_the_first_parameter(parameters, name):
    assert first_parameter(function_of(parameters)) == name


def test_a_position_behind_rest_reaches_no_parameter_with_a_name():
    text = "def f(a, *rest, b=None): return b\nx = f(1, 2, 3)\nx"
    assert described(values_of(text)) == "?parameter `b` has no annotation"

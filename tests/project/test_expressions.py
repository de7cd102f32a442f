"""The alternatives of an expression, the conditions before it, and what calls pass and append."""

from __future__ import annotations

import ast

import pytest
from programs import program

from awaken.project.source.expressions.alternatives import (
    alternatives,
    branches,
    conditions_in,
    conditions_passed,
    is_tested,
    whole_conditional,
)
from awaken.project.source.expressions.expression_uses import passed_keywords
from awaken.project.source.expressions.lists import append_call
from awaken.project.source.memo import cached_method


def _read(text):
    """Return a module, and where it reads ``it``."""
    module = program({"a.py": text}).module("a.py")
    return module, next(node for node in module.walk() if getattr(node, "id", "") == "it")


@pytest.mark.parametrize(
    "text",
    [
        "if it: pass",
        "while it: pass",
        "assert it",
        "a = b if it else c",
        "a = not it",
        "a = [b for b in c if it]",
        "if b and (it or c): pass",
    ],
)
def test_only_the_truth_is_asked(text):
    assert is_tested(*_read(text))


@pytest.mark.parametrize(
    "text",
    [
        "a = it or b",
        "a = it if b else c",
        "if it.b: pass",
        "if f(it): pass",
        "a = [b for b in it if c]",
        "assert b, it",
        "a = it == b",
    ],
)
def test_the_value_is_used(text):
    assert not is_tested(*_read(text))


def test_alternatives():
    texts = {
        "(a if b else c) if d else e": (["a", "c", "e"], ["a if b else c", "e"]),
        "a or b": (["a or b"], ["a", "b"]),
        "a": (["a"], []),
    }
    for text, (inner, outer) in texts.items():
        node = ast.parse(text, mode="eval").body
        assert [ast.unparse(part) for part in branches(node)] == inner
        assert [ast.unparse(part) for part in alternatives(node)] == outer


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("(it if b else c) if d else e", "(it if b else c) if d else e"),
        ("b if it else c", "it"),
        ("(b if it else c) if d else e", "it"),
    ],
)
def test_the_whole_conditional(text, whole):
    module, node = _read(f"a = {text}")

    assert ast.unparse(whole_conditional(module, node)) == ast.unparse(ast.parse(whole))


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("a = it if b else c", [("b", True)]),
        ("a = c if b else it", [("b", False)]),
        ("a = c if it else b", []),
        ("a = b and c and it", [("b", True), ("c", True)]),
        ("a = b or it", [("b", False)]),
        ("a = it or b", []),
        ("a = [it for b in c if d]", [("d", True)]),
        ("a = f(it)", []),
    ],
)
def test_conditions_before_a_part(text, conditions):
    module, node = _read(text)
    passed = conditions_passed(module.parent(node), node)

    assert [(ast.unparse(condition), answer) for condition, answer in passed] == conditions


def test_all_conditions_of_a_file():
    text = "while it: assert a\nif b: c = [d for d in e if f]\ng = h if i else j and k"
    module, _ = _read(text)

    assert sorted(map(ast.unparse, conditions_in(module))) == [*"abfi", "it", *"jk"]


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("d = {'x': 1, 'y': 2}\nit(**d, z=3)", {"x": "1", "y": "2", "z": "3"}),
        ("d = {'x': 1}\nit(**d)\nf(**d)", {"x": "1"}),
        ("d = {'x': 1}\nd['x'] = 2\nit(**d)", {None: "d"}),
        ("d = {'x': 1}\nf(d)\nit(**d)", {None: "d"}),
        ("d = {a: 1}\nit(**d)", {None: "1"}),
        ("it(**d)", {None: "d"}),
    ],
)
def test_keywords_of_a_call(text, keywords):
    module, node = _read(text)
    passed = passed_keywords(module, module.call_of(node))

    assert {name: ast.unparse(value) for name, value in passed} == keywords


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("it.append(a)", "a"),
        ("it.insert(0, a)", None),
        ("b = it.append(a)", None),
        ("it.append(a, b)", None),
        ("b.append(it)", None),
    ],
)
def test_what_a_statement_appends(text, value):
    added = append_call(*_read(text))

    assert (None if added is None else ast.unparse(added[1])) == value


class _Adder:
    def __init__(self, step):
        self.step, self.asked = step, []

    @cached_method
    def sum(self, number, other=0):
        self.asked.append(number)
        if number < 0:
            raise ValueError(number)
        return number + other + self.step


def test_a_cached_method_runs_once_for_its_object_and_its_arguments():
    adder, other = _Adder(1), _Adder(2)

    assert [adder.sum(1), adder.sum(1), adder.sum(1, other=2), other.sum(1)] == [2, 2, 4, 3]
    assert (adder.asked, other.asked) == ([1, 1], [1])


def test_a_cached_method_that_raises_runs_again():
    adder = _Adder(1)

    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            adder.sum(-1)
    assert adder.asked == [-1, -1]

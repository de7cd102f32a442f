"""The alternatives of an expression, and the places that ask only for its truth."""

from __future__ import annotations

import ast

import pytest
from programs import program

from awaken.project.source.expressions.alternatives import (
    alternatives,
    branches,
    is_tested,
    whole_conditional,
)


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

"""The shape of a tree: the same for the same code, whatever its layout."""

from __future__ import annotations

import libcst as cst
import pytest

from awaken.editing.shapes import shape


def of(code):
    return shape(cst.parse_module(code))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a,b)", "f( a , # c\n b, )"),
        ("x = a", "x = (a)"),
        ("(a, b)", "a, b"),
        ("if a: b", "if  a : b"),
        ("def f(a, *, b): pass", "def f(a,*,b,): pass"),
        ("from a import (b)", "from a import b"),
        ("a; b", "a; b;"),
        ("class A: pass", "class A(): pass"),
    ],
)
def test_layout_does_not_matter(one, other):
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a, b)", "f(b, a)"),
        ("f(a, b)", "f((a, b))"),
        ("a + b * c", "(a + b) * c"),
        ("a - (b - c)", "a - b - c"),
        ("a.b", "a.c"),
        ("f(*a)", "f(**a)"),
        ("f(a=b)", "f(a, b)"),
        ("'a'", "b'a'"),
        ("x = a", "x += a"),
        ("async def f(): pass", "def f(): pass"),
        ("await a", "a"),
        ("a\nb", "a; b"),
        ("from a import b", "from a import b as c"),
        ("def f(a, b): pass", "def f(a, *b): pass"),
        ("a < b < c", "a < (b < c)"),
        ("not a == b", "(not a) == b"),
    ],
)
def test_everything_else_does(one, other):
    assert of(one) != of(other)


def test_a_block_without_statements_is_printed_as_pass():
    empty = cst.Module([cst.If(cst.Name("a"), cst.IndentedBlock([]))])
    assert shape(empty) == of(empty.code) == of("if a:\n    pass\n")


def test_made_and_parsed_trees_have_the_same_shape():
    made = cst.Call(cst.Name("f"), [cst.Arg(cst.Name("a"), keyword=cst.Name("k"))])
    assert shape(made) == shape(cst.parse_expression("f(k=a)"))
    parameters = cst.Parameters(
        [cst.Param(cst.Name("a"))], kwonly_params=[cst.Param(cst.Name("b"))]
    )
    assert shape(cst.Lambda(parameters, cst.Name("a"))) == shape(
        cst.parse_expression("lambda a, *, b: a")
    )


def test_deep_trees_do_not_exhaust_the_stack():
    node = cst.Name("a")
    for _ in range(3000):
        node = cst.Attribute(node, cst.Name("b"))
    assert len(shape(node)) > 3000

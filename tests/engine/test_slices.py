"""The pieces of a file that are rewritten alone, and what rewriting them does to the rest."""

from __future__ import annotations

import ast

import pytest
from rewriting_helpers import change, module, node_edit, refused, span

from awaken.contract import Span
from awaken.engine.edits.file_slices import Anchors, Misplaced, group_by_region, region_of


def region(text, code, kind, nth=0):
    parsed = module(text)
    node = Anchors(parsed, [node_edit(text, code, "x", kind=kind, nth=nth)]).node_of(
        node_edit(text, code, "x", kind=kind, nth=nth)
    )
    found = region_of(parsed, node)
    return text.encode()[found.span.start : found.span.end].decode(), found


@pytest.mark.parametrize(
    ("text", "code", "kind", "expected"),
    [
        ("x = (f(1))\n", "f(1)", "Call", "f(1)"),
        ("@f(1)\ndef g(): pass\n", "f(1)", "Call", "f(1)"),
        ("f(k=1)\n", "k=1", "keyword", "f(k=1)"),
        ("f(*g(1))\n", "g(1)", "Call", "g(1)"),
        ("x = y[1:f(2)]\n", "f(2)", "Call", "f(2)"),
        ("with f(1) as x.y: pass\n", "x.y", "Attribute", "x.y"),
        ("sum(x for x in y)\n", "(x for x in y)", "GeneratorExp", "(x for x in y)"),
    ],
)
def test_an_expression_is_its_own_slice(text, code, kind, expected):
    found, piece = region(text, code, kind)
    assert found == expected
    assert piece.is_expression


@pytest.mark.parametrize(
    ("text", "code", "kind", "expected"),
    [
        ("# a\n  # b\nx = 1  # c\n", "x = 1", "Assign", "x = 1  # c\n"),
        ("if a:\n    x = 1\n    y\n", "x = 1", "Assign", "    x = 1\n"),
        ("if a: x = 1\ny\n", "x = 1", "Assign", "if a: x = 1\n"),
        ("w; x = 1; y\n", "x = 1", "Assign", "w; x = 1; y\n"),
        ("s = '''\n'''; x = 1; y\nz\n", "x = 1", "Assign", "s = '''\n'''; x = 1; y\n"),
        ("x = 1; s = '''\n'''\nz\n", "x = 1", "Assign", "x = 1; s = '''\n'''\n"),
        ("@a\n@b(\n1)\ndef f():\n  x\ny\n", "def f():\n  x", "FunctionDef", None),
        ("if a:\n  x\nelif b:\n  y\nelse:\n  z\n", "elif b:\n  y\nelse:\n  z", "If", None),
        ("try: x\nexcept A: w\ny\n", "except A: w", "ExceptHandler", None),
        ("x\n\f\ny = 1\n", "y = 1", "Assign", "y = 1\n"),
        ("x\n\fy = 1\n", "y = 1", "Assign", "y = 1\n"),
        ("w; \fx = f(\n  1)\ny\n", "x = f(\n  1)", "Assign", "w; \fx = f(\n  1)\n"),
        ("if a: \fx = 1\ny\n", "x = 1", "Assign", "if a: \fx = 1\n"),
        ("x = 1", "x = 1", "Assign", None),
        ("match x:\n  case a.b: pass\n", "a.b", "Attribute", None),
    ],
)
def test_a_statement_is_its_lines(text, code, kind, expected):
    found, piece = region(text, code, kind)
    assert found == (text.removesuffix("y\n") if expected is None else expected)
    assert not piece.is_expression


def test_line_ends_of_every_kind_end_a_slice():
    for newline in ("\n", "\r\n", "\r"):
        text = f"x = 1{newline}y = 2{newline}z{newline}"
        found, _ = region(text, "y = 2", "Assign")
        assert found == f"y = 2{newline}"


def test_only_line_ends_of_python_end_a_slice():
    text = "x = 'a\x0bb\x1cc\u2028'; y = 2\n"
    found, _ = region(text, "y = 2", "Assign")
    assert found == text


def test_a_block_is_filled_by_its_only_statements():
    assert region("if a:\n    x = 1\n", "x = 1", "Assign")[1].fills_block
    assert not region("if a:\n    x = 1\n    y\n", "x = 1", "Assign")[1].fills_block
    assert not region("x = 1\n", "x = 1", "Assign")[1].fills_block


def test_nested_edits_share_the_outermost_slice():
    parsed = module("f(g(1), h(2)); k(3)\n")
    calls = [node for node in parsed.walk() if isinstance(node, ast.Call)]
    groups = group_by_region({node: region_of(parsed, node) for node in calls})
    assert [(found.span, len(nodes)) for found, nodes in groups] == [
        (Span(0, 13), 3),
        (Span(15, 19), 1),
    ]


def test_a_place_without_a_node_is_refused():
    text = "f(1)\n"
    edit = node_edit(text, "f(", "identity")
    with pytest.raises(Misplaced, match="no node of kind Call"):
        Anchors(module(text), [edit]).node_of(edit)


def test_a_kind_that_the_two_trees_count_differently_is_refused():
    text = "x = a, b\n"
    message, _ = refused(text, change(node_edit(text, "a, b", "identity", kind="Tuple")))
    assert message == "awaken cannot rewrite nodes of kind Tuple alone"


def test_spans_are_bytes():
    text = "größe = f('ü')\n"
    assert region(text, "f('ü')", "Call")[1].span == span(text, "f('ü')") == Span(10, 17)

"""Parentheses where the grammar needs them, shown by what Python makes of the printed code."""

from __future__ import annotations

import ast

import libcst as cst
import pytest

from awaken.editing.parentheses import needs_parentheses, parenthesise

EXPRESSIONS = [
    "a",
    "a.b",
    "a(1)",
    "a[0]",
    "1",
    "'a'",
    "[a]",
    "await a",
    "a ** b",
    "-a",
    "~a",
    "a * b",
    "a + b",
    "a << b",
    "a & b",
    "a ^ b",
    "a | b",
    "a < b",
    "a in b",
    "not a",
    "a and b",
    "a or b",
    "a if b else c",
    "lambda: a",
    "a := b",
    "yield",
    "a, b",
    "a for a in b",
]
PLACES = [
    "X.y",
    "X(1)",
    "X[0]",
    "y[X]",
    "y[X:z]",
    "await X",
    "X ** y",
    "y ** X",
    "-X",
    "not X",
    "X * y",
    "y * X",
    "X + y",
    "y - X",
    "X < y",
    "y < X",
    "X and y",
    "y and X",
    "X or y",
    "y or X",
    "X if y else z",
    "y if X else z",
    "y if z else X",
    "lambda: X",
    "f(X)",
    "f(X, y)",
    "f(y=X)",
    "f(*X)",
    "f(**X)",
    "[X]",
    "[*X]",
    "{X: y}",
    "{y: X}",
    "{**X}",
    "[X for y in z]",
    "[y for y in X]",
    "[y for y in z if X]",
    "(y := X)",
    "f'{X}'",
    "x = X",
    "x: int = X",
    "x += X",
    "return X",
    "assert X",
    "if X: pass",
    "while X: pass",
    "for y in X: pass",
    "with X: pass",
    "raise X",
    "del X",
    "lambda y=X: 0",
    "@X\ndef f(): pass",
]


class Put(cst.CSTTransformer):
    """Puts an expression in the place of the name ``X``, in parentheses if told to need them."""

    def __init__(self, expression, *, always=False):
        super().__init__()
        self.expression, self.always = expression, always
        self.wrapped = False

    def on_leave(self, original_node, updated_node):
        del original_node
        for field in getattr(updated_node, "__dataclass_fields__", ()):
            value = getattr(updated_node, field)
            if isinstance(value, cst.Name) and value.value == "X":
                self.wrapped = self.always or needs_parentheses(
                    updated_node, field, self.expression
                )
                new = parenthesise(self.expression) if self.wrapped else self.expression
                return updated_node.with_changes(**{field: new})
        return updated_node


def bare(code):
    """Return the expression without the parentheses that it may need to be parsed."""
    statement = cst.parse_module(f"({code})\n").body[0].body[0]
    return statement.value.with_changes(lpar=[], rpar=[])


class Flatten(ast.NodeTransformer):
    """``(a and b) and c`` means the same as ``a and b and c``."""

    def visit_BoolOp(self, node):
        self.generic_visit(node)
        first = node.values[0]
        if isinstance(first, ast.BoolOp) and type(first.op) is type(node.op):
            node.values[:1] = first.values
        return node


def meaning(code):
    indented = "\n    ".join(code.split("\n"))
    try:
        return ast.dump(Flatten().visit(ast.parse(f"async def f():\n    {indented}")))
    except SyntaxError:
        return None


def put(place, expression, *, always=False):
    putting = Put(bare(expression), always=always)
    return cst.parse_module(place).visit(putting).code, putting.wrapped


@pytest.mark.parametrize("place", PLACES)
def test_code_means_the_same_as_with_parentheses(place):
    for expression in EXPRESSIONS:
        expected = meaning(put(place, expression, always=True)[0])
        code, _ = put(place, expression)
        if expected is not None:
            assert meaning(code) == expected, code


@pytest.mark.parametrize("place", PLACES)
def test_the_tightest_expressions_stay_bare(place):
    for expression in ("a", "a.b", "a(1)", "a[0]", "[a]"):
        assert put(place, expression)[1] is False


def test_one_pair_is_enough():
    once = parenthesise(cst.Name("a"))
    assert parenthesise(once) is once
    assert cst.Module([]).code_for_node(once) == "(a)"
    assert needs_parentheses(cst.Attribute(once, cst.Name("b")), "value", once) is False

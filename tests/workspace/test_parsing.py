"""Hostile and foreign files cost one sentence; everything that parses can be walked."""

from __future__ import annotations

import ast
import sys
from contextlib import nullcontext

import libcst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.workspace import parsing
from awaken.workspace.parsing import (
    MAX_DEPTH,
    Unparsable,
    deep_recursion,
    depth,
    parse,
    too_deep_for_libcst,
)
from awaken.workspace.sources import decode

HOSTILE = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "open brackets": lambda n: "[{(" * n,
    "minus": lambda n: "x = " + "-" * n + "1",
    "not": lambda n: "x = " + "not " * n + "1",
    "plus": lambda n: "x = " + "+".join(["1"] * n),
    "power": lambda n: "x = " + "**".join(["1"] * n),
    "plus over lines": lambda n: "x = (1" + "\n+ 1" * n + ")",
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = a" + ".b(1)" * n,
    "calls over lines": lambda n: "(a" + "\n  .b()" * n + ")",
    "subscripts": lambda n: "x = a" + "[0]" * n,
    "lambdas": lambda n: "x = " + "lambda:" * n + "1",
    "conditions": lambda n: "x = " + "1 if a else " * n + "1",
    "elif": lambda n: "if a:\n  p\n" + "elif a:\n  p\n" * n,
    "indentation": lambda n: "".join(" " * i + "if a:\n" for i in range(n)) + " " * n + "p",
    "decorator": lambda n: "@a" + ".b" * n + "\nclass C: p",
    "default": lambda n: "def f(a=" + "-" * n + "1): p",
    "annotation": lambda n: "def f() -> a" + ".b" * n + ": p",
    "with": lambda n: "with a" + ".b()" * n + ": p",
    "pattern": lambda n: "match a:\n  case a" + ".b" * n + ": p",
    "f-strings": lambda n: "x = " + "f'{" * n + "1" + "}'" * n,
}


def tree(text):
    return parse(decode("a.py", text.encode()))


@pytest.mark.parametrize("size", [1_500, 50_000])
@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_nesting_is_one_sentence(shape, size):
    if shape == "indentation":
        size = 500

    with pytest.raises(Unparsable) as caught:
        tree(HOSTILE[shape](size))

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("shape", ["plus", "calls", "elif", "minus", "calls over lines"])
def test_what_real_code_holds_is_parsed_and_can_be_visited(shape):
    found = tree(HOSTILE[shape](150))

    class Visitor(ast.NodeVisitor):
        count = 0

        def generic_visit(self, node):
            self.count += 1
            super().generic_visit(node)

    visitor = Visitor()
    with deep_recursion():
        visitor.visit(found)

    assert visitor.count > 150


@pytest.mark.parametrize("shape", [name for name in HOSTILE if name != "indentation"])
def test_no_tree_is_deeper_than_promised(shape):
    sizes = [n for n in range(MAX_DEPTH // 2 - 9, MAX_DEPTH + 9) if n % 7 == 0 or n > MAX_DEPTH - 9]
    for size in sizes:
        try:
            found = tree(HOSTILE[shape](size))
        except Unparsable:
            continue
        assert depth(found, 10_000) <= MAX_DEPTH + 1


def test_the_line_of_a_statement_nested_too_deeply_is_named():
    with pytest.raises(Unparsable, match=f"nested more than {MAX_DEPTH} levels") as caught:
        tree("if a:\n    b = 1\n    x = a" + ".b" * MAX_DEPTH + "\n")

    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("text", "never_runs"),
    [
        ("x = (\n", True),
        ("def f(a=1, b): ...\n", True),
        ("print x\n", False),
        ("f(\n f'', x\n", sys.version_info >= (3, 12)),
    ],
)
def test_a_syntax_error_tells_whether_another_python_may_read_the_file(text, never_runs):
    with pytest.raises(Unparsable) as caught:
        tree(text)

    assert caught.value.never_runs is never_runs


def test_long_flat_statements_are_no_problem():
    found = tree(
        "x = [" + "1, " * 5_000 + "]\ny = " + "'a' " * 5_000 + "\nz = " + "a < " * 999 + "a"
    )

    assert len(found.body) == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\nprint 'a'\n", 2, "looks like Python 2"),
        ("try:\n    pass\nexcept OSError, e:\n    pass\n", 3, "looks like Python 2"),
        ("x = 0777\n", 1, "looks like Python 2"),
        ("raise ValueError, 'x'\n", 1, "looks like Python 2"),
        ("x = (\n", 1, "'(' was never closed"),
        ("if a:\nb\n", 2, "expected an indented block"),
        ("print x + '\u00e9' for\n", 1, "looks like Python 2"),
        ("x = " + "1" * 5000, 1, "4300"),
    ],
)
def test_syntax_errors_name_the_line(text, line, message):
    with pytest.raises(Unparsable) as caught:
        tree(text)

    assert message in str(caught.value)
    assert caught.value.line == line
    assert str(caught.value).isprintable()


def test_syntax_error_names_the_command_with_a_newer_python(monkeypatch):
    monkeypatch.setattr(parsing, "NEWEST_PYTHON", (9, 99))
    running = f"{sys.version_info.major}.{sys.version_info.minor}"

    with pytest.raises(Unparsable) as caught:
        tree("x = 1\nfrom the_future import? magic\n")

    assert str(caught.value) == (
        f"invalid syntax for Python {running}; if the file is for a newer Python, "
        "run awaken with it: `uv tool install --force --python 9.99 .` in the clone of awaken"
    )


@pytest.mark.parametrize("text", ['x = f"{names["first"]}"\n', 'x = f"{\n    names[0]\n}"\n'])
def test_an_f_string_with_quotes_or_lines_inside_names_the_first_python_that_reads_it(text):
    is_read = sys.version_info >= (3, 12)
    raises = pytest.raises(Unparsable, match=r"uv tool install --force --python 3\.12 \.")
    with nullcontext() if is_read else raises:
        tree(text)


def test_newest_python_knows_no_newer_one(monkeypatch):
    monkeypatch.setattr(parsing, "NEWEST_PYTHON", sys.version_info[:2])

    with pytest.raises(Unparsable) as caught:
        tree("import? magic\n")

    assert "run awaken with" not in str(caught.value)


def test_parsing_warns_about_nothing():
    found = tree("x = '\\d'\nassert (x, 'y')\nx is 1\n1if x else 2\n")

    assert len(found.body) == 4


def test_a_cookie_does_not_decode_twice():
    source = decode("a.py", b"# coding: latin-1\nx = '\xe9'\n")

    assert ast.unparse(parse(source)) == "x = 'é'"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\f\n"])
def test_columns_are_bytes_of_the_text(newline):
    source = decode("a.py", f"# ü{newline}y = 'ü', x{newline}".encode())

    (name,) = (node for node in ast.walk(parse(source)) if getattr(node, "id", "") == "x")

    assert (name.lineno, name.col_offset) == (2, 10)


@given(st.text(st.sampled_from("()[]{}-+.:;=\n\t ab1'\"\\#fif@,*"), max_size=80))
def test_any_text_is_a_tree_or_one_sentence(text):
    try:
        found = tree(text)
    except Unparsable as error:
        message = str(error)
    else:
        message = ast.dump(found)

    assert message.isprintable()


@pytest.mark.parametrize("shape", ["calls", "elif", "minus", "attributes", "conditions"])
def test_what_libcst_is_given_comes_back(shape):
    size = 145 if shape == "calls" else 290
    text = HOSTILE[shape](size)
    assert too_deep_for_libcst(tree(text)) is None

    with deep_recursion():
        module = libcst.parse_module(text)
        again = module.visit(libcst.CSTTransformer()).code

    assert again == text


def test_what_libcst_is_not_given_says_why():
    refusal = too_deep_for_libcst(tree(HOSTILE["minus"](350)))

    assert refusal == "it is nested more than 300 levels deep, and LibCST could crash on it"


def test_deep_recursion_is_put_back():
    before = sys.getrecursionlimit()

    with deep_recursion():
        inside = sys.getrecursionlimit()

    assert inside >= MAX_DEPTH * 10
    assert sys.getrecursionlimit() == before

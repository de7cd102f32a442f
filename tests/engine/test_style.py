"""What rewriters are told about the place they write into."""

from __future__ import annotations

import ast

import pytest
from rewriting_helpers import module

from awaken.contract import Surroundings
from awaken.engine.edits.style import (
    FileStyle,
    blank_lines_around,
    line_end,
    line_indent,
    line_start,
    style_of,
    surroundings_of,
)


@pytest.mark.parametrize(
    ("text", "newline", "indent"),
    [
        ("", "\n", "    "),
        ("x", "\n", "    "),
        ("x\r\ny\r\n", "\r\n", "    "),
        ("x\ry\r", "\r", "    "),
        ("x\ny\r\nz\r\n", "\r\n", "    "),
        ("if a:\n\tx\n", "\n", "\t"),
        ("if a: x\nclass A:\n  def f(self):\n     pass\n", "\n", "  "),
        ("x = (\n  1)\n", "\n", "    "),
        ("for x in y:\n   z\n", "\n", "   "),
    ],
)
def test_how_a_file_is_written(text, newline, indent):
    assert style_of(module(text), 99) == FileStyle(newline, indent, 99)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([20] * 50, 88), ([104] * 4, 88), ([20, *[104] * 4, 300], 104), ([300] * 5, 120), ([], 88)],
)
def test_lines_of_the_file_count_where_no_length_is_declared(lengths, expected):
    text = "\n\n".join("x" * length for length in lengths)
    assert style_of(module(text), 88, is_assumed=True).line_length == expected
    assert style_of(module(text), 88).line_length == 88


def around(text, code, kind=ast.Call):
    parsed = module(text)
    node = next(
        node for node in parsed.walk() if isinstance(node, kind) and parsed.text_of(node) == code
    )
    return surroundings_of(parsed, node, style_of(parsed, 88))


def test_all_that_a_rewriter_is_told():
    text = "def f():\r\n\t\tgröße = (f(1)).x  # é\r\n"
    assert around(text, "f(1)") == Surroundings(
        newline="\r\n",
        indent="\t\t",
        line_indent="\t\t",
        block_indent="\t\t",
        column=11,
        trailing=8,
        line_length=88,
        bracketed=True,
    )


@pytest.mark.parametrize(
    ("text", "bracketed"),
    [
        ("f(1)\n", False),
        ("x = f(1).y\n", False),
        ("x = (f(1))\n", True),
        ("x = [\n  f(1)\n]\n", True),
        ("g(f(1))\n", True),
        ("g(0) + f(1)\n", False),
        ("'(' + f(1)\n", False),
        ("x = a + \\\n  f(1)\n", False),
        ("x = a[0], {}, f(1)\n", False),
        ("for x in f(1):\n  pass\n", False),
        ("@f(1)\nclass A: pass\n", False),
        ("def g(x=f(1)): pass\n", True),
        ("if x:\n  pass\nelif f(1):\n  pass\n", False),
        ("with (f(1)) as y: pass\n", True),
        ("x = {  # (\n  1: f(1)}\n", True),
        ("x = 1  # (\nf(1)\n", False),
        ("x = f'{a}' + f(1)\n", False),
        ("x = (a)\ry = f(1)\r", False),
    ],
)
def test_whether_a_line_may_be_broken_freely(text, bracketed):
    assert around(text, "f(1)").bracketed is bracketed


@pytest.mark.parametrize(
    ("text", "is_value"),
    [
        ("x = f(1)\n", True),
        ("x = y = f(1)\n", True),
        ("x: int = f(1)\n", True),
        ("x += f(1)\n", True),
        ("def g():\n  return f(1)\n", True),
        ("for x in f(1):\n  pass\n", True),
        ("if x:\n  pass\nelif f(1):\n  pass\n", True),
        ("while f(1):\n  pass\n", True),
        ("assert f(1)\n", True),
        ("assert f(1), x\n", False),
        ("f(1)\n", False),
        ("f(1)[0] = x\n", False),
        ("for f(1).x in y:\n  pass\n", False),
        ("x = f(1).y\n", False),
        ("x = f(1), y\n", False),
        ("with f(1) as y:\n  pass\n", False),
        ("x = f'{f(1)}'\n", False),
    ],
)
def test_whether_an_anchor_is_all_the_value_of_a_statement(text, is_value):
    assert around(text, "f(1)").is_value is is_value


def test_the_lines_of_an_anchor_of_several():
    text = "if a:\n    x = f(\n      1\n    ).y\n"
    found = around(text, "f(\n      1\n    )")
    assert (found.line_indent, found.column, found.trailing) == ("    ", 8, 2)


def test_lines_end_where_python_ends_them():
    text = b"a\x0bb\x0c\rc\r\nd\n"
    assert [line_start(text, at) for at in (0, 3, 5, 6, 8)] == [0, 0, 5, 5, 8]
    assert [line_end(text, at) for at in (0, 4, 5, 8)] == [5, 5, 8, 10]
    assert line_indent(b"x\n \t y", 5) == b" \t "


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"", b"", (0, 0)),
        (b"", b"\n\nx", (0, 2)),
        (b"\n\n", b"x", (2, 0)),
        (b"x\n", b"y", (0, 0)),
        (b"x\n\n\n", b"\ny", (2, 1)),
        (b"x\r\n \t\r\n", b"\r\n\f\r\ny", (1, 2)),
        (b"x\r\r", b"\ry", (1, 1)),
        (b"x", b"", (0, 0)),
    ],
)
def test_blank_lines(before, after, expected):
    assert blank_lines_around(before + after, len(before)) == expected

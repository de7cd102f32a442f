"""Lines below an argument move as the argument does; others are left, and the way back is known."""

from __future__ import annotations

import ast
import random

import pytest
from rewriting_helpers import PATH, change

from awaken.contract import Span, TextEdit
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.workspace.sources import Snapshot, decode


def edited(text, pieces):
    """Return the text in which each old piece became its new one, and the result."""
    source = decode(PATH, text.encode())
    changes = []
    for old, new in pieces:
        start = source.text.index(old.encode())
        span = Span(start, start + len(old.encode()))
        changes.append(change(TextEdit(path=PATH, anchor=span, text=new, site="s")))
    result = apply_in_memory(Snapshot({PATH: source}), changes, {})
    assert result.problems == ()
    return result.snapshot[PATH].raw().decode(), result


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("before", "pieces", "after"),
    [
        pytest.param(
            ["x = f(a,", "      b,", "      # c", "      d)"],
            [("f(", "await f(")],
            ["x = await f(a,", "            b,", "            # c", "            d)"],
            id="below the first argument",
        ),
        pytest.param(
            ["x = f(a,", "      b", "      )", "y = f(a,", "      b", "     )"],
            [("x = f", "x = ff"), ("y = f", "y = ff")],
            ["x = ff(a,", "       b", "       )", "y = ff(a,", "       b", "      )"],
            id="a closing bracket",
        ),
        pytest.param(
            ["f(g(a,", "    b),", "  c,", "    d)"],
            [("g", "gg")],
            ["f(gg(a,", "     b),", "  c,", "    d)"],
            id="the inner bracket alone",
        ),
        pytest.param(
            ["f(g(a,", "    b),", "  h(c,", "    d))"],
            [("f", "ff"), ("g", "gg"), ("h", "hh")],
            ["ff(gg(a,", "      b),", "   hh(c,", "      d))"],
            id="each bracket by what precedes it",
        ),
        pytest.param(
            ["f(a if b", "    else c, g(", "        d,", "    ))"],
            [("f", "ff")],
            ["ff(a if b", "     else c, g(", "         d,", "     ))"],
            id="further right",
        ),
        pytest.param(
            ["f(", "    'a'", "    'ä', b)"],
            [("'a'", "text('a'"), (",", "),")],
            ["f(", "    text('a'", "         'ä'), b)"],
            id="a new bracket",
        ),
        pytest.param(
            ["def f(s: S,", "      b=(1,", "         2)):", "    g(s,", "      b)"],
            [("def", "async def"), ("S", "Session")],
            [
                "async def f(s: Session,",
                "            b=(1,",
                "               2)):",
                "    g(s,",
                "      b)",
            ],
            id="parameters",
        ),
        pytest.param(
            ["f(a,", "  b(),", "  c(d,", "    e))"],
            [("f", "ff"), ("b", "await b"), ("c", "await c")],
            ["ff(a,", "   await b(),", "   await c(d,", "           e))"],
            id="lines that begin with an edit",
        ),
        pytest.param(
            ["ff(a,", "   b,", "   )"],
            [("ff", "f")],
            ["f(a,", "  b,", "  )"],
            id="to the left",
        ),
    ],
)
def test_aligned_lines_move(newline, before, pieces, after):
    text, result = edited(newline.join(["# ä", *before, ""]), pieces)

    assert text == newline.join(["# ä", *after, ""])
    # A token leads back to the same token.
    last = after[-1].encode()[-1:]
    at = text.encode().rindex(last)
    old = result.maps[PATH].to_before(Span(at, at + 1))
    assert newline.join(["# ä", *before, ""]).encode()[old.start : old.end] == last


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("f(\n    a,\n    b)\n", [("f", "ff")], id="a hanging indent"),
        pytest.param("f(g(\n    a,\n    b))\n", [("f", "ff")], id="left of the argument"),
        pytest.param("f(  # c\n    a,\n    b)\n", [("f", "ff")], id="a comment"),
        pytest.param("f('''a\n      b''',\n  c)\n", [("c", "cc")], id="nothing moves"),
        pytest.param("f(a,\n  g(b),\n  c)\n", [("g", "gg")], id="an argument in the middle"),
        pytest.param("x = f(a, '''\n      b''', [\n    c])\n", [("f", "ff")], id="after a string"),
        pytest.param("x = f(a,\n\t  b)\n", [("f", "ff")], id="a tabulator"),
        pytest.param("x = a + \\\n    b\n", [("a", "aa")], id="a backslash"),
        pytest.param("f(a,\n  b); g(c,\n  d)\n", [("c", "cc")], id="another statement"),
    ],
)
def test_other_lines_stay(text, pieces):
    result, _ = edited(text, pieces)

    for old, new in pieces:
        text = text.replace(old, new, 1)
    assert result == text


def test_the_content_of_a_string_stays():
    text, _ = edited("x = f('''a\n       b''',\n      c)\n", [("f", "ff")])

    assert text == "x = ff('''a\n       b''',\n       c)\n"


@pytest.mark.parametrize("seed", range(60))
def test_random_calls_stay_the_same_code(seed):
    chance = random.Random(seed)

    def call(depth, column):
        name = chance.choice("fgh") * chance.randint(1, 3)
        text = f"{name}("
        column += len(text)
        for number in range(chance.randint(1, 3)):
            if number:
                text += "," + (f"\n{' ' * column}" if chance.random() < 0.6 else " ")
            here = len(text) - text.rfind("\n") - 1 if "\n" in text else column
            inner = chance.random()
            if depth and inner < 0.4:
                text += call(depth - 1, here)
            else:
                text += chance.choice(["a", "[b, c]", "'''s\n  t'''", "not d", "x if y else z"])
        return text + (")" if chance.random() < 0.7 else f"\n{' ' * (column - 1)})")

    source = f"r = {call(3, 4)}\n"

    text, _ = edited(source, [("r = ", "result = await ")])

    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(f"result = await {source[4:]}"))
    for line, old in zip(text.splitlines(), source.splitlines(), strict=True):
        assert len(line) - len(old) in {0, 11}

"""Programs are told from other text, and the compiler is kept from what it could crash on."""

from __future__ import annotations

import ast

import pytest

from awaken.engine.planning.checks import MAX_BLOCKS, blocks, why_no_program
from awaken.workspace.sources import decode

LOWEST = (3, 11)


def complaint(text, lowest=LOWEST):
    error = why_no_program(decode("a.py", text.encode()), lowest)
    return None if error is None else error.msg


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", None),
        ("x = '\\d'\nassert (x, 1)\n", None),
        ("x = (\n", "'(' was never closed"),
        ("await x\n", "'await' outside function"),
        ("def f():\n    return 1\n    yield\n", None),
        ("async def f():\n    return 1\n    yield\n", "'return' with value in async generator"),
        ("x = " + "9" * 5000 + "\n", "Exceeds the limit"),
        ("x = " + "-" * 100_000 + "1\n", ""),
    ],
)
def test_what_is_no_program(text, message):
    found = complaint(text)

    assert (found is None) == (message is None)
    assert (message or "") in (found or "")


def test_the_lowest_python_counts():
    assert complaint("match x:\n    case 1: pass\n", (3, 9)) is not None
    assert complaint("match x:\n    case 1: pass\n", (3, 10)) is None


def nested(opening, depth):
    return "".join(" " * i + f"{opening}\n" for i in range(depth)) + " " * depth + "pass\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", 0),
        (nested("if a:", 30), 0),
        (nested("for a in b:", 3), 3),
        (nested("while a:", 4), 4),
        ("with a, b, (c): pass", 3),
        ("with (a as x, b): pass\nwith c: pass", 2),
        ("async def f():\n async with a, b:\n  async for c in d: pass", 3),
        ("try: pass\nexcept A: pass", 2),
        ("try: pass\nexcept A as e: pass", 3),
        ("try: pass\nexcept* A as e: pass\nfinally: pass", 4),
        ("try: pass\nfinally:\n  for a in b: pass", 2),
        ("x = [[a for a in b] for c in d]", 2),
        ("x = {(a for a in b for c in d): {e: f for e in g} for h in i}", 3),
        (nested("with a:", 5) + nested("def f():", 9), 5),
        ("for a in b:\n def f():\n  while c: pass", 1),
        ("for a in b: x = lambda: [c for c in d]", 1),
        ("for a in b:\n class C:\n  while c:\n   with d: pass", 2),
    ],
)
def test_blocks_inside_each_other(text, expected):
    assert blocks(ast.parse(text)) == expected


@pytest.mark.parametrize("depth", [MAX_BLOCKS, MAX_BLOCKS + 1, 18, 20, 21, 22, 23, 40])
@pytest.mark.parametrize(
    "text",
    [
        lambda n: "x = " + "[" * n + "a" + " for a in b]" * n,
        lambda n: "async def f(): " + "[" * n + "a" + " async for a in b]" * n,
        lambda n: f"async def f():\n async with {', '.join('a' * n)}: pass",
        lambda n: nested("with a:", n),
        lambda n: nested("for a in b:", n),
    ],
)
def test_the_compiler_survives(text, depth):
    """Without the guard, this ends the tests on Python 3.12 and 3.13."""
    assert (complaint(text(depth)) is None) >= (depth <= MAX_BLOCKS)

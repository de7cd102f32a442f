"""The parentheses around one expression, and the code without them."""

from __future__ import annotations

import pytest

from awaken.editing.outer_parentheses import OuterPair, outer_pair, without_pair


def pair_of(text: str) -> OuterPair | None:
    """Return the pair around the ``q()`` of ``text``."""
    start = text.encode().index(b"q()")
    return outer_pair(text.encode(), start, start + 3)


def without(text: str, new: str, line_length: int = 88) -> str | None:
    """Return ``text`` with ``new`` in place of ``q()`` and of the parentheses around it."""
    pair = pair_of(text)
    if pair is None:
        return None
    made = without_pair(text.encode(), pair, new, line_length)
    if made is None:
        return None
    return (text.encode()[: pair.start] + made.encode() + text.encode()[pair.end :]).decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = (\n    q()\n)", OuterPair(4, 15, 4, 4, 0)),
        ("x = (\n    q()\n) or 1  # why", OuterPair(4, 15, 4, 4, 12)),
        ("    é = (\n        q()\n    )\n", OuterPair(9, 28, 8, 4, 0)),
        ("\treturn (\r\n\t\tq()\r\n\t)\r\n", OuterPair(8, 20, 8, 1, 0)),
        ("x = (q()\n)", OuterPair(4, 10, 4, 0, 0)),
        ("(\n  q()\n)", OuterPair(0, 9, 0, 2, 0)),
        ("f((\n  q()\n))", OuterPair(2, 11, 2, 2, 1)),
        ("if not(\n  q()\n): pass", OuterPair(6, 15, 6, 2, 6)),
    ],
)
def test_the_pair_is_found_with_what_goes_with_it(text, found):
    assert pair_of(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "x = q()",
        "q()",
        "x = (q())",
        "f(\n    q()\n)",
        "f (\n    q()\n)",
        "f()(\n    q()\n)",
        "x[0](\n    q()\n)",
        "x = (\n    q(),\n)",
        "x = (\n    not q()\n)",
        "x = (  # why\n    q()\n)",
        "x = (\n    q()  # why\n)",
        "x = [1, '#', (\n    q()\n)]",
        "  x = (\n q()\n)",
    ],
)
def test_other_brackets_are_no_such_pair(text):
    assert pair_of(text) is None


def test_a_pair_that_holds_no_line_stays():
    text = b"x = (f(\n    1\n))"

    assert outer_pair(text, 5, len(text) - 1) is None


@pytest.mark.parametrize(
    ("text", "new", "made"),
    [
        ("x = (\n    q()\n)\n", "r()", "x = r()\n"),
        ("x = (\n    q()\n)\n", "r(\n        1\n    ).all()", "x = r(\n    1\n).all()\n"),
        ("x = (\n    q()\n)\n", "r(\n\n  1)", "x = r(\n\n1)\n"),
        ("f((\n  q()\n))", "r()", "f(r())"),
        ("x = (\r\n\tq()\r\n)\r\n", "r(\r\n\t\t1\r\n\t)", "x = r(\r\n\t1\r\n)\r\n"),
        ("x = (q()\n     )\n", "r(\n    1\n)", "x = r(\n    1\n)\n"),
    ],
)
def test_the_code_moves_left_without_them(text, new, made):
    assert without(text, new) == made


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("x = (\n    q()\n)\n", "r()\n    .all()"),
        ("x = (\n    q()\n)\n", "r()\r\n    .all()"),
        ("x = (\n    q()\n)\n", 'r(\n        """a\n        b"""\n    )'),
        ("return(\n    q()\n)\n", "r()"),
        ("x = (\n    q()\n)if y else z\n", "r()"),
    ],
)
def test_they_stay_where_the_code_needs_them(text, new):
    assert without(text, new) is None


def test_they_stay_where_a_line_would_get_too_long():
    assert without("x = (\n    q()\n)\n", "r()", 7) == "x = r()\n"
    assert without("x = (\n    q()\n)\n", "r()", 6) is None
    assert without("x = (\n    q()\n).y\n", "r()", 8) is None
    assert without("x = (\n    q()\n).y\n", "r(\n1\n)", 6) == "x = r(\n1\n).y\n"
    assert without("x = (\n    q()\n).y\n", "r(\n1\n)", 5) is None

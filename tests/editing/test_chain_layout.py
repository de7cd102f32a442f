"""Chains of calls on one line, or with a call on each."""

from __future__ import annotations

import libcst as cst
import pytest

from awaken.editing.call_arguments import code
from awaken.editing.chains import chain_lines
from awaken.editing.chains.chain_layout import Space, can_be_laid_out, keeps_lines, lay_out
from awaken.editing.chains.chain_lines import one_line

WIDE, NARROW = Space("", "    ", 100), Space("    ", "    ", 30)


def parsed(text):
    return cst.parse_expression(text)


@pytest.mark.parametrize(
    ("text", "builders", "space", "expected"),
    [
        ("select(\n    A\n).where(b)", 1, WIDE, "select(A).where(b)"),
        (
            "select(A).where(first).order_by(second)",
            2,
            NARROW,
            "select(A)\n    .where(first)\n    .order_by(second)",
        ),
        (
            "select(A)\n.where(b)\n.limit(1)",
            2,
            Space("    ", "    ", 100),
            "select(A)\n    .where(b)\n    .limit(1)",
        ),
        ("select(A).where(first_name)", 1, NARROW, "select(A).where(\n        first_name\n    )"),
        (
            "f(first_one, second_one, third)",
            0,
            NARROW,
            "f(\n        first_one,\n        second_one,\n        third,\n    )",
        ),
    ],
)
def test_a_chain_is_broken_where_it_does_not_fit(text, builders, space, expected):
    laid_out = lay_out(parsed(f"({text})").with_changes(lpar=[], rpar=[]), builders, space)

    assert code(laid_out) == expected
    assert lay_out(laid_out, builders, space).deep_equals(laid_out)


def test_lines_of_several_builders_were_meant_to_stay():
    assert not keeps_lines(parsed("a.b(c).d(e)"), 2)
    assert keeps_lines(parsed("(f(a)\n.b(c)\n.d(e))"), 2)
    assert not keeps_lines(parsed("(f(a)\n.b(c))"), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("f(\n    a,\n)", True), ("f(\n    a,  # why\n)", False), ('f("""a\nb""",\nc)', False)],
)
def test_comments_and_strings_over_lines_keep_a_chain_as_it_is(text, expected):
    assert can_be_laid_out(parsed(text)) is expected


def test_one_line_drops_the_comma_of_a_list_but_not_that_of_a_tuple():
    assert code(one_line(parsed("f(\n    [\n        1,\n    ],\n    (2,),\n)"))) == "f([1], (2,))"


def test_a_call_around_several_lines_gets_lines_of_its_own():
    inner = parsed("f(\n        a\n    )")

    enclosed = chain_lines.enclose(cst.Name("g"), inner, "", "    ")
    assert code(enclosed) == "g(\n    f(\n        a\n    )\n)"
    assert code(chain_lines.enclose(cst.Name("g"), cst.Name("a"), "", "    ")) == "g(a)"

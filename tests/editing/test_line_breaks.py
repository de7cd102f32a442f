"""A line that is too long is broken where black would: brackets, commas, clauses, operators."""

from __future__ import annotations

import ast
import textwrap

import pytest

from awaken.editing.line_breaks import LineWidth, broken_line, can_be_broken

WIDTH = LineWidth("    ", 40)


def broken(line, **options):
    return "\n".join(broken_line(line, WIDTH, **options))


def tree(code):
    code = textwrap.dedent(code)
    return ast.dump(ast.parse(f"{code}\n    pass\n" if code.endswith(":") else code))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        pytest.param("short(line, that, fits)", "short(line, that, fits)", id="fits"),
        pytest.param(
            "    value = call_of(first_one, second_one, 3)",
            "    value = call_of(\n        first_one, second_one, 3\n    )",
            id="last brackets",
        ),
        pytest.param(
            "call_of(first_argument_of, second_argument_of)",
            "call_of(\n    first_argument_of,\n    second_argument_of,\n)",
            id="arguments one below the other with a comma at the end",
        ),
        pytest.param(
            "call_of(first_argument, *others, **some_keywords)",
            "call_of(\n    first_argument,\n    *others,\n    **some_keywords,\n)",
            id="starred arguments",
        ),
        pytest.param(
            "assert sorted(all_of_the_names) == [1, 2]",
            "assert sorted(all_of_the_names) == [\n    1,\n    2,\n]",
            id="elements of a list one below the other though they fit on one line",
        ),
        pytest.param(
            "wanted[0] = the_names_of(them) == {1: 2, 3: 4}",
            "wanted[0] = the_names_of(them) == {\n    1: 2,\n    3: 4,\n}",
            id="items of a dictionary",
        ),
        pytest.param(
            "assert the_names_of_them(of, all) == [number]",
            "assert the_names_of_them(of, all) == [\n    number\n]",
            id="a list of one is no index",
        ),
        pytest.param(
            "assert the_names(of) == [x for x, y in them]",
            "assert the_names(of) == [\n    x for x, y in them\n]",
            id="a comprehension has no elements",
        ),
        pytest.param(
            "value = session.scalars(some_query).all()",
            "value = session.scalars(\n    some_query\n).all()",
            id="empty brackets are passed over",
        ),
        pytest.param(
            "value = session.scalars(them).unique().all()",
            "value = (\n    session.scalars(them).unique().all()\n)",
            id="several calls in parentheses",
        ),
        pytest.param(
            "return session.scalars(a_query).unique().first_of_all()",
            "return (\n    session.scalars(a_query)\n    .unique()\n    .first_of_all()\n)",
            id="several calls one below the other",
        ),
        pytest.param(
            "return session.scalars(some_query).first_one.name_of_it",
            "return session.scalars(\n    some_query\n).first_one.name_of_it",
            id="one attribute behind a call",
        ),
        pytest.param(
            "return [(a, b) for a, b in rows_of(query) if a and b]",
            "return [\n    (a, b)\n    for a, b in rows_of(query)\n    if a and b\n]",
            id="comprehension",
        ),
        pytest.param(
            "x = {one: two if a else b for one, two in rows if c if d}",
            "x = {\n    one: two if a else b\n    for one, two in rows\n    if c\n    if d\n}",
            id="conditional value in a comprehension",
        ),
        pytest.param(
            "x = sorted(rows, key=lambda a, b: compare(a, b))",
            "x = sorted(\n    rows, key=lambda a, b: compare(a, b)\n)",
            id="parameters of a lambda are no arguments",
        ),
        pytest.param(
            "if first_of(query) is None and other not in found:",
            "if (\n    first_of(query) is None\n    and other not in found\n):",
            id="condition",
        ),
        pytest.param(
            "call(one_of_them == another_one, that is not this_one_here)",
            "call(\n    one_of_them == another_one,\n    that is not this_one_here,\n)",
            id="comparisons fit",
        ),
        pytest.param(
            "call(an_attribute_of_something.that_is not in one_of_those)",
            "call(\n    an_attribute_of_something.that_is\n    not in one_of_those\n)",
            id="comparison of two words",
        ),
        pytest.param(
            "call(-an_attribute_of_something, **those - another_of_them)",
            "call(\n    -an_attribute_of_something,\n    **those - another_of_them,\n)",
            id="signs are no operators",
        ),
        pytest.param(
            "return first_of_them(query).all(), second_one, third",
            "return (\n    first_of_them(query).all(),\n    second_one,\n    third,\n)",
            id="tuple",
        ),
        pytest.param(
            "assert first_of_the_queries(query), message_of(it)",
            "assert first_of_the_queries(\n    query\n), message_of(it)",
            id="the comma of an assertion makes no tuple",
        ),
        pytest.param(
            "def function(query, session, page=1) -> dict[str, int]:",
            "def function(\n    query, session, page=1\n) -> dict[str, int]:",
            id="parameters, not what is returned",
        ),
        pytest.param(
            "async def function(query, session, page=1, size: int = 10):",
            "async def function(\n    query,\n    session,\n    page=1,\n    size: int = 10,\n):",
            id="parameters one below the other",
        ),
        pytest.param(
            'x = call(f"{one(1, 2)} {two[3]} and so on", second)',
            'x = call(\n    f"{one(1, 2)} {two[3]} and so on",\n    second,\n)',
            id="not inside strings",
        ),
        pytest.param(
            "for number, title in session.execute(query):",
            "for number, title in session.execute(\n    query\n):",
            id="loop",
        ),
        pytest.param(
            "if state(order).kept and not state(order).is_changed():",
            "if (\n    state(order).kept\n    and not state(order).is_changed()\n):",
            id="condition that ends in empty brackets",
        ),
    ],
)
def test_is_broken(line, wanted):
    found = broken(line)

    assert found == wanted
    assert tree(found) == tree(line)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("a_name_that_is_longer_than_all = of_the_line_it_is_on", id="no brackets"),
        pytest.param("first_statement(argument); second_statement(one)", id="two statements"),
        pytest.param("some_function(first_one, second)  # a comment", id="comment"),
        pytest.param("some_function(first_one, second_one, third([", id="open brackets"),
        pytest.param("some_function(first_one), second_one, third)]", id="closed before"),
        pytest.param("value = some_function(first_one) + second + \\", id="continued"),
    ],
)
def test_stays(line):
    assert broken(line) == line


@pytest.mark.parametrize("line", ["f(a)  # b", "f(a); g(b)", "f(a", "a)", "a + \\"])
def test_cannot_be_broken(line):
    assert not can_be_broken(line)


def test_inside_brackets_operators_come_first():
    line = "    (first.column == 1) & (second.column == 2),"

    assert broken(line, bracketed=True) == "    (first.column == 1)\n    & (second.column == 2),"


def test_gets_a_comma_where_the_brackets_close():
    line = "    first_argument, second_argument, third"
    with_comma = "    first_argument,\n    second_argument,\n    third,"

    assert broken(line, bracketed=True, closes=True) == with_comma
    assert broken(line, bracketed=True) == with_comma.removesuffix(",")

"""A parameter that a function gets, with what every call passes."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from kit_programs import program

from awaken.kit.added_parameters import AddedParameter, has_room, is_name_used
from awaken.project.graph.call_edges import CallEdges


def edges_of(text):
    """The edges into the function ``_f`` of a program, and the parameter ``query`` of it."""
    project = program({"_m.py": text})
    module = project.module("_m.py")
    edges = CallEdges(project.calls, project.module, module)
    function = next(one for one in module.walk() if getattr(one, "name", None) == "_f")
    context = edges.context_around(module, function.body[0])
    before = next(
        one for one in ast.walk(function) if isinstance(one, ast.arg) and one.arg == "query"
    )
    return context, before, edges.calls_of(context)


def added(text, annotation=""):
    context, before, calls = edges_of(text)
    given = dict.fromkeys(calls, "db.session")
    parameter = AddedParameter(context, before, "session", annotation, given)
    raw = dedent(text).encode()
    for one in sorted(parameter.insertions(), key=lambda one: one.anchor.start, reverse=True):
        assert one.anchor.start == one.anchor.end
        raw = raw[: one.anchor.start] + one.text.encode() + raw[one.anchor.start :]
    return raw.decode()


@pytest.mark.parametrize(
    ("signature", "call", "after"),
    [
        ("query", "_f(1)", ("session, query", "_f(db.session, 1)")),
        ("a, query", "_f(0, 1)", ("a, session, query", "_f(0, db.session, 1)")),
        ("*, query", "_f(query=1)", ("*, session, query", "_f(session=db.session, query=1)")),
    ],
)
def test_the_function_and_its_call_get_it_in_front_of_another(signature, call, after):
    text = "def _f({}):\n    return query\ndef _g():\n    {}\n"

    assert added(text.format(signature, call)) == text.format(*after)


def test_it_gets_a_line_where_each_parameter_has_one():
    text = "def _f(\n    a,\n    query,\n):\n    return query\ndef _g():\n    _f(0, 1)\n"

    expected = text.replace("    query,", "    session: Session,\n    query,")
    assert added(text, "Session") == expected.replace("_f(0, 1)", "_f(0, db.session, 1)")


@pytest.mark.parametrize(
    ("signature", "call", "expected"),
    [
        ("query", "_f(1)", True),
        ("query=None", "_f(1)", False),
        ("query", "_f(*values)", False),
        ("a, query", "_f(0,  # of a\n       1)", True),
        ("a, query", "_f(0,\n       # of query\n       1)", False),
    ],
)
def test_there_is_room_unless_a_default_or_a_comment_stands_against_it(signature, call, expected):
    text = f"def _f({signature}):\n    return query\ndef _g(values):\n    {call}\n"
    context, before, calls = edges_of(text)

    assert has_room(context.function, before, calls) is expected


def test_a_name_is_used_that_is_read_set_or_a_parameter():
    context, *_ = edges_of("def _f(query):\n    one = query\n    return two\n")

    assert [is_name_used(context, one) for one in ("query", "one", "two", "three")] == [
        True,
        True,
        True,
        False,
    ]

"""Statements in the place of a line."""

from __future__ import annotations

import libcst as cst
import pytest

from awaken.editing.statements import as_statements, in_place_of_line


def code(statements):
    return cst.Module(statements).code


def parsed(text):
    return list(cst.parse_module(text).body)


def test_what_a_rewriter_may_return():
    small, line = cst.Pass(), cst.SimpleStatementLine([cst.Break()])
    assert as_statements(cst.RemovalSentinel.REMOVE) == []
    assert code(as_statements(small)) == "pass\n"
    assert as_statements(line) == [line]
    assert code(as_statements([small, line])) == "pass\nbreak\n"
    assert code(as_statements(cst.FlattenSentinel([line, small]))) == "break\npass\n"


@pytest.mark.parametrize("other", [None, 1, "pass", cst.Name("a"), [cst.Name("a")], cst.Newline()])
def test_anything_else_is_not_statements(other):
    assert as_statements(other) is None


def test_no_statements_are_no_lines():
    (line,) = parsed("x  # end\n")
    assert in_place_of_line([], line) == []


@pytest.mark.parametrize(
    ("line", "new", "expected"),
    [
        ("# above\nx  # end\n", "y\n", "# above\ny  # end\n"),
        ("# above\nx  # end\n", "y\nz\n", "# above\ny\nz  # end\n"),
        ("# above\nx  # end\n", "if y: z\n", "# above\n# end\nif y: z\n"),
        ("# above\nx  # end\n", "y\nz  # own\n", "# above\n# end\ny\nz  # own\n"),
        ("\nx\n", "# own\ny\n", "\n# own\ny\n"),
        ("x  # noqa: E711\n", "y = z\ny\n", "y = z  # noqa: E711\ny\n"),
        ("x  # noqa: E711\n", "y\ny = z\n", "y\ny = z  # noqa: E711\n"),
        ("x  # noqa\n", "y = z(\n    z\n)\ny\n", "y = z(\n    z\n)\ny  # noqa\n"),
    ],
)
def test_comments_of_the_line_stay(line, new, expected):
    module = cst.parse_module(line)
    old = module.body[0]
    old = old.with_changes(leading_lines=[*module.header, *old.leading_lines])
    tree = cst.parse_module(new)
    statements = list(tree.body)
    lines = [*tree.header, *statements[0].leading_lines]
    statements[0] = statements[0].with_changes(leading_lines=lines)
    assert code(in_place_of_line(statements, old)) == expected

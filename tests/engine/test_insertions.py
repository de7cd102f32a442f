"""New statements: where they go, how they are written, and where they cannot stand."""

from __future__ import annotations

import pytest
from rewriting_helpers import after, change, insert, node_edit, refused


@pytest.mark.parametrize(
    ("text", "code", "where", "expected"),
    [
        ("x\ny\n", "y", "before", "x\nnew\ny\n"),
        ("x\n# c\ny\n", "y", "before", "x\nnew\n# c\ny\n"),
        ("# header\ny\n", "y", "before", "# header\nnew\ny\n"),
        ("if a:\n  x\n  # c\ny\n", "y", "before", "if a:\n  x\n  # c\nnew\ny\n"),
        ("x\n@d\ndef f(): 0\n", "def f(): 0", "before", "x\nnew\n@d\ndef f(): 0\n"),
        ("if a:\n  # c\n  y\n", "y", "before", "if a:\n  new\n  # c\n  y\n"),
        ("x\ny  # c\nz\n", "y", "after", "x\ny  # c\nnew\nz\n"),
        ("x", "x", "after", "x\nnew"),
        ("def f():\n\treturn\n", "def f():\n\treturn", "body-start", "def f():\n\tnew\n\treturn\n"),
        (
            "class A:\n  'doc'\n  # c\n  x\n",
            "class A:\n  'doc'\n  # c\n  x",
            "body-start",
            "class A:\n  'doc'\n  new\n  # c\n  x\n",
        ),
        ("class A:\n  'doc'\n", "class A:\n  'doc'", "body-start", "class A:\n  'doc'\n  new\n"),
        (
            "'doc'\nimport a\n\ntry: import b\nexcept E: pass\nx\n",
            None,
            "after-imports",
            "'doc'\nimport a\n\ntry: import b\nexcept E: pass\n\nnew\n\nx\n",
        ),
        ("#!/bin/sh\n\nx\n", None, "after-imports", "#!/bin/sh\n\nnew\n\nx\n"),
        ("", None, "after-imports", "new\n"),
    ],
)
def test_insertions(text, code, where, expected):
    assert after(text, change(insert(text, code, where, "new\n"))) == expected


@pytest.mark.parametrize(
    ("text", "code", "where", "expected"),
    [
        ("import a\nx\n", None, "after-imports", "import a\n\n\nNEW\n\n\nx\n"),
        ("import a\n\n\nx\n", None, "after-imports", "import a\n\n\nNEW\n\n\nx\n"),
        ("x\n\ny\n", "y", "before", "x\n\n\nNEW\n\n\ny\n"),
        ("x\ny\n", "y", "after", "x\ny\n\n\nNEW\n"),
        ("x\n", "x", "before", "NEW\n\n\nx\n"),
        ("class A:\n    x\n    y\n", "y", "before", "class A:\n    x\n\n    NEW\n\n    y\n"),
        ("class A:\n    x\n", "x", "before", "class A:\n    NEW\n\n    x\n"),
        ("class A:\n    x\n", "x", "after", "class A:\n    x\n\n    NEW\n"),
    ],
)
def test_blank_lines_around_definitions(text, code, where, expected):
    found = after(text, change(insert(text, code, where, "def f(): 0\n")))
    assert found == expected.replace("NEW", "def f(): 0")


def test_blank_lines_between_definitions_of_several_changes():
    changes = [change(insert("x\n", "x", "after", f"def f{n}(): 0\n")) for n in range(2)]
    assert after("x\n", *changes) == "x\n\n\ndef f0(): 0\n\n\ndef f1(): 0\n"
    plain = change(insert("x\n", "x", "after", "new\n"))
    assert after("x\n", changes[0], plain) == "x\n\n\ndef f0(): 0\n\n\nnew\n"


def test_a_rewriter_may_ask_for_other_blank_lines():
    new = "\n# about\ndef f(): 0\n"
    found = after("x\ny\n", change(insert("x\ny\n", "x", "after", new)))
    assert found == "x\n\n# about\ndef f(): 0\n\n\ny\n"


def test_insertions_at_one_place_keep_the_order_of_the_changes():
    text = "x\ny\n"
    changes = [change(insert(text, "y", "before", f"new{n}\n")) for n in range(3)]
    assert after(text, *changes) == "x\nnew0\nnew1\nnew2\ny\n"


def test_inserted_code_has_the_newline_and_indentation_of_its_place():
    text = "class A:\r\n  def f(self):\r\n    return 1\r\n"
    new = "def g():\n    '''a\n    b'''\n    return 2\n"
    found = after(text, change(insert(text, "return 1", "before", new)))
    assert found == (
        "class A:\r\n  def f(self):\r\n"
        "    def g():\r\n      '''a\n    b'''\r\n      return 2\r\n\r\n"
        "    return 1\r\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("if a: x\n", "x", "before"),
        ("if a: x; y\n", "y", "before"),
        ("if a: x; y\n", "y", "after"),
        ("def f(): x\n", "def f(): x", "body-start"),
        ("if a:\n  x\nelif b:\n  y\n", "elif b:\n  y", "before"),
        ("x = 1\n", "x = 1", "body-start"),
        ("x = 1\n", "x", "before"),
    ],
)
def test_places_without_a_line_of_their_own_are_refused(text, code, where):
    _, guilty = refused(text, change(insert(text, code, where, "new\n"), id="guilty"))
    assert guilty == ["guilty"]


@pytest.mark.parametrize(
    ("text", "code", "where", "expected"),
    [
        ("x; y\n", "x", "before", "new\nx; y\n"),
        ("x; y\n", "x", "after", "x\nnew\ny\n"),
        ("x; y\n", "y", "before", "x\nnew\ny\n"),
        ("x; y; z;  # z\n", "y", "after", "x; y\nnew\nz;  # z\n"),
        ("x; y\n", "y", "after", "x; y\nnew\n"),
        ("if a:\r\n  x ;(y)\r\n", "(y)", "before", "if a:\r\n  x\r\n  new\r\n  (y)\r\n"),
        ('def f():\n  ""; x\n', 'def f():\n  ""; x', "body-start", 'def f():\n  ""\n  new\n  x\n'),
    ],
)  # fmt: skip
def test_insertion_parts_the_statements_of_one_line(text, code, where, expected):
    assert after(text, change(insert(text, code, where, "new\n"))) == expected


def test_insertions_of_two_changes_between_the_same_statements_are_refused():
    text = "x; y\n"
    changes = (change(insert(text, "y", "before", f"{name}\n"), id=name) for name in ("a", "b"))
    _, guilty = refused(text, *changes)
    assert guilty == ["b"]


def test_insertion_before_a_statement_of_a_shared_line_that_is_rewritten_too():
    text = "x = 1; y = f(1)\n"
    edits = [insert(text, "y = f(1)", "before", "new\n"), node_edit(text, "f(1)", "wrap")]
    assert after(text, change(*edits)) == "x = 1\nnew\ny = wrapped(f(1))\n"


def test_insertion_before_a_statement_that_is_rewritten_too():
    text = "x = f(1)\n"
    edits = [insert(text, "x = f(1)", "before", "new\n"), node_edit(text, "f(1)", "wrap")]
    assert after(text, change(*edits)) == "new\nx = wrapped(f(1))\n"

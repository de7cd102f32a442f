"""What differs between two trees outside of what the edits name."""

from __future__ import annotations

import pytest
from rewriting_helpers import module, span

from awaken.contract import Span
from awaken.engine.edits.comparison import Comparison, around_alone, misread, syntax_alone
from awaken.engine.edits.splices import Splice, splice


def differences(text, new, *, old="EDIT", opaque=False):
    """Replace ``old`` by ``new`` and return the code of each statement that then differs."""
    before = module(text)
    at = span(text, old)
    changed, moved = splice(text.encode(), [Splice(at.start, at.end, new.encode())])
    nodes = [node for node in before.walk() if before.statement_of(node) is node]
    owner = [node for node in nodes if before.span(node).contains(at)][-1:]
    tokens = {at: owner[0]} if opaque else {}
    comparison = Comparison(before, module(changed), moved, [] if opaque else [at], tokens)
    return [text.encode()[one.start : one.end].decode() for one in comparison.differences()]


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("a\nEDIT\nb\n", "f(1)"),
        ("a\nEDIT\nb\n", "x = 1\ny = 2"),
        ("a\nEDIT\nb\n", ""),
        ("f(1, EDIT, k=2)\n", "(3)"),
        ("@EDIT\ndef f(): a\n", "d(1)"),
        ("if EDIT:\n  a\nelse:\n  b\n", "x"),
        ("with a as EDIT: pass\n", "b.c"),
        ("x = {1: EDIT, **a}\n", "2"),
        ("global_ = EDIT\nfor x in y: z\n", "'''\n'''"),
    ],
)
def test_what_is_named_may_change(text, new):
    assert differences(text, new) == []


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("x.y + EDIT\n", "1 if a else b"),
        ("EDIT.y\n", "await x"),
        ("EDIT * y\n", "x + z"),
        ("-EDIT\n", "x, z"),
        ("x = [EDIT]\n", "a for a in b"),
        ("f(1).EDIT\n", "x; y"),
        ("(EDIT, y)\n", "x) + (z"),
    ],
)
def test_what_is_not_named_may_not(text, new):
    assert differences(text, new) == [text[:-1]]


def test_edited_tokens_free_their_statement():
    text = "def f():\n    EDIT\n    if a:\n        b\n"
    assert differences(text, "await x", opaque=True) == []
    assert differences(text, "async def", old="def", opaque=True) == []


def test_edited_tokens_do_not_free_the_blocks_below():
    text = "def f():\n    a\n    b\n"
    assert differences(text, "c; d", old="a", opaque=True) == [text[:-1]]
    assert differences(text, "if x: c\ndef f():", old="def f():", opaque=True) != []


def test_untouched_code_that_moved_is_the_same():
    text = "a\nEDIT\nclass A:\n    def f(self):\n        return {1: 2}\n"
    assert differences(text, "x\n" * 9) == []


@pytest.mark.parametrize(
    ("text", "new"),
    [("a\nEDIT\nb\n", "x = ("), ("f(EDIT)\ng(1)\n", "'''")],
)
def test_text_that_does_not_parse_is_no_business_of_the_comparison(text, new):
    with pytest.raises(SyntaxError):
        differences(text, new)


def test_misread():
    after = module("x = a + b * c\n")
    good = Span(8, 13)
    assert misread(after, {good: syntax_alone(b"b * c")}) == set()
    assert misread(after, {good: syntax_alone(b"b + c")}) == {good}
    assert misread(after, {Span(4, 9): syntax_alone(b"a + b")}) == {Span(4, 9)}
    assert misread(after, {}) == set()


def test_what_is_no_expression_has_no_syntax():
    assert syntax_alone(b"x = 1") is None
    assert syntax_alone(b"a # c") == syntax_alone(b"(a)")
    assert syntax_alone("größe".encode()) is not None


@pytest.mark.parametrize(
    ("expression", "around"),
    [
        (b"a", (0, 0)),
        (b"(a)", (1, 1)),
        (b"((a ) )", (2, 4)),
        (b"(a)(b)", (0, 0)),
        (b"(a, b)", (0, 0)),
        (b"(a), b", (0, 0)),
        ("(\n  'é'\n)".encode(), (4, 2)),
    ],
)
def test_only_parentheses_that_stand_around_the_whole_are_its_own(expression, around):
    assert around_alone(expression) == around

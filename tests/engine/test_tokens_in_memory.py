"""What comes of edits of single tokens, beside and inside of expressions that are rewritten."""

from __future__ import annotations

import ast

import pytest
from msgspec.structs import replace
from rewriting_helpers import (
    PATH,
    after,
    change,
    node_edit,
    refused,
    run,
    span,
    token,
)

from awaken.contract import Span, TextEdit
from awaken.workspace.sources import decode


# ------------------------------------------------------------------------------------ tokens
def test_tokens_are_edited_as_they_stand():
    text = "def f(a):\n    return g(a).b\n"
    edits = [
        token(text, "def", "async def"),
        TextEdit(
            path=PATH,
            anchor=Span(span(text, "g(a)").start, span(text, "g(a)").start),
            text="(await ",
            site="s",
        ),
        TextEdit(
            path=PATH,
            anchor=Span(span(text, "g(a)").end, span(text, "g(a)").end),
            text=")",
            site="s",
        ),
    ]
    assert after(text, change(*edits)) == "async def f(a):\n    return (await g(a)).b\n"


def test_tokens_inside_and_beside_a_rewritten_expression():
    text = "x = f(a, b)\n"
    start = span(text, "f(a, b)").start
    edits = [
        token(text, "a", "größe"),
        TextEdit(path=PATH, anchor=Span(start, start), text="await ", site="s"),
    ]
    found = after(text, change(node_edit(text, "f(a, b)", "swap")), change(*edits))
    assert found == "x = await f(b, größe)\n"
    found = after(text, change(node_edit(text, "f(a, b)", "wrap")), change(*edits))
    assert found == "x = await wrapped(f(größe, b))\n"


SWAP, WRAP, SAME = "swap", "wrap", "identity"


@pytest.mark.parametrize(
    ("text", "tokens", "nodes", "expected"),
    [
        ("x = f(a, b)", {"a": "g(a)"}, {"f(a, b)": SWAP}, "x = f(b, g(a))"),
        ("x = f(g(a), b)", {"g(a)": "a"}, {"f(g(a), b)": SWAP}, "x = f(b, a)"),
        # As many calls as before, but others: the rewriter runs on its own.
        (
            "x = h(g(a), f(b), c)",
            {"g(a)": "a", "c": "k(c)"},
            {"f(b)": WRAP},
            "x = h(a, wrapped(f(b)), k(c))",
        ),
        (
            "x = f([g(y) for y in z], lambda: c)",
            {"z": "s(z)", "c": "g(c)"},
            {"f([g(y) for y in z], lambda: c)": SWAP},
            "x = f(lambda: g(c), [g(y) for y in s(z)])",
        ),
        # What is inserted at the edges of a node is around it.
        (
            "x = f(g(a), b)",
            {"g(a)>": ".all()"},
            {"f(g(a), b)": SWAP, "g(a)": WRAP},
            "x = f(b, wrapped(g(a)).all())",
        ),
        (
            "x = f(g(a), b)",
            {"<g(a)": "k(", "g(a)>": ")"},
            {"f(g(a), b)": SWAP, "g(a)": WRAP},
            "x = f(b, k(wrapped(g(a))))",
        ),
        (
            "x = k(f.get(a), 2)",
            {"<f.get": "(await ", "f.get>": ")"},
            {"k(f.get(a), 2)": SWAP, "f.get(a)": WRAP},
            "x = k(2, wrapped((await f.get)(a)))",
        ),
        (
            "with f(a) as y:\n    pass",
            {"a": "g(a)"},
            {"f(a)": WRAP},
            "with wrapped(f(g(a))) as y:\n    pass",
        ),
        (
            "if a:\n    x = f(b)\n    y = 2",
            {"f(b)>": ".g()"},
            {"f(b)": WRAP},
            "if a:\n    x = wrapped(f(b)).g()\n    y = 2",
        ),
    ],
)
def test_text_may_add_and_remove_what_a_rewriter_counts(text, tokens, nodes, expected):
    text += "\n"
    edits = [node_edit(text, code, rewriter) for code, rewriter in nodes.items()]
    # All of it is rewritten as one, so that every token is inside of what LibCST sees.
    edits.append(node_edit(text, text[:-1], SAME, kind=type(ast.parse(text).body[0]).__name__))
    for code, new in tokens.items():
        place = span(text, code.strip("<>"))
        if code[0] == "<":
            place = Span(place.start, place.start)
        elif code[-1] == ">":
            place = Span(place.end, place.end)
        edits.append(TextEdit(path=PATH, anchor=place, text=new, site="s"))
    assert after(text, change(*edits)) == f"{expected}\n"


@pytest.mark.parametrize("kind", ["FunctionDef", "For", "With"])
def test_a_statement_may_become_asynchronous_by_its_token(kind):
    code = {"FunctionDef": "def f(): g()", "For": "for x in g(): x", "With": "with g(): x"}[kind]
    word = code.split()[0]
    edits = [token(code, word, f"async {word}"), node_edit(code, code, SAME, kind=kind)]
    text = after(f"{code}\n", change(*edits, node_edit(code, "g()", "wrap")))
    assert text == f"async {code.replace('g()', 'wrapped(g())')}\n"


def test_a_node_that_text_replaces_is_not_rewritten():
    text = "x = h(g(a), b)\n"
    edits = [token(text, "g(a)", "k(1)"), node_edit(text, "h(g(a), b)", "swap")]
    inner = node_edit(text, "a", "identity", kind="Name")
    message, guilty = refused(text, change(*edits, inner, id="guilty"))
    assert message == "another edit replaces this code"
    assert guilty == ["guilty"]


def test_a_token_across_the_edge_of_a_rewrite_is_refused():
    text = "x = f(a)\n"
    tokens = change(token(text, "= f", "= g"), id="tokens")
    message, guilty = refused(text, change(node_edit(text, "f(a)", "wrap")), tokens)
    assert (message, guilty) == ("it crosses the edge of another rewrite", ["tokens"])


def test_half_of_a_refused_change_is_not_in_the_way_of_others():
    text = "x = f(1).g(2)\n"
    start, end = span(text, "f(1)").start, span(text, "f(1)").end

    def at(place, new):
        return TextEdit(path=PATH, anchor=Span(place, place), text=new, site="s")

    outer = change(at(start, "await "))
    inner = change(at(start, "(await "), at(end, ")"), id="inner")
    assert refused(text, outer, inner) == ("another change already edits this code", ["inner"])
    assert after(text, change(*outer.edits, *inner.edits)) == "x = await (await f(1)).g(2)\n"


def test_equal_tokens_of_two_changes_are_one():
    text = "def f(): pass\n"
    changes = [change(token(text, "def", "async def")) for _ in range(2)]
    assert after(text, *changes) == "async def f(): pass\n"


def test_equal_brackets_of_two_changes_are_two():
    text = "x = f(1)(2).y\n"
    end = Span(span(text, "(2)").end, span(text, "(2)").end)
    changes = [
        change(TextEdit(path=PATH, anchor=end, text=")", site="s"), id=name) for name in "ab"
    ]
    problems = run(text, *changes).problems
    assert problems[0].message == "another change already edits this code"
    assert problems[0].changes == ("b",)


def test_clashing_tokens_refuse_the_later_change():
    text = "def f(): pass\n"
    changes = [change(token(text, "f(", f"{new}("), id=new) for new in ("g", "h")]
    assert refused(text, *changes) == ("another change already edits this code", ["h"])


def test_equal_replacements_of_two_sites_of_one_change_are_one():
    text = "def f(): pass\n"
    edits = [replace(token(text, "f(", "g("), site=site) for site in "ab"]
    assert after(text, change(*edits)) == "def g(): pass\n"


def test_overlapping_tokens_of_one_change_refuse_it_with_another_message():
    text = "def f(): pass\n"
    edits = [token(text, "f(", f"{new}(") for new in ("g", "h")]
    found = refused(text, change(*edits, id="both"))
    assert found == ("two edits of this change overlap", ["both"])


def test_overlapping_edits_of_other_files_are_told_apart_as_well():
    files = {"a.toml": decode("a.toml", b"a = 1\n")}
    one, two = (TextEdit(path="a.toml", anchor=Span(0, 1), text=new, site="s") for new in "xy")

    both = refused("", change(one, two, id="both"), files=files)
    others = refused("", change(one), change(two, id="two"), files=files)

    assert both == ("two edits of this change overlap", ["both"])
    assert others == ("another change already edits this text", ["two"])

"""Generated modules: whatever they look like, only what the edits name changes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rewriting_helpers import PATH, REWRITERS, change, need

from awaken.contract import NodeEdit, Span
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.project.source.modules import Module
from awaken.workspace.sources import Snapshot, decode

NAMES = st.sampled_from(["x", "größe", "ﬁ", "_", "case", "async_"])
SPACE = st.sampled_from(["", " ", "  ", "\t", " \\\n "])
WIDE = st.sampled_from(["", " ", "\n", "  # why\n    ", "\n\n\t# é\n\n  "])
LEAVES = st.sampled_from(
    ["1", "'a'", '"\\n"', "'''\n  # no\n'''", "b'\\x00'", "...", "-1", "1.5j", "f'{1}'", "'\u2028'"]
)


def joined(*parts):
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(
        "".join
    )


def compound(inner):
    return st.one_of(
        joined("call(", WIDE, inner, WIDE, ")"),
        joined("call", SPACE, "(", inner, WIDE, ",", WIDE, "k=", inner, ",)"),
        joined("call(*", inner, ", **", NAMES, ")"),
        joined("(", WIDE, inner, WIDE, ").call(", inner, ")"),
        joined("(", inner, " if ", inner, " else ", inner, ")"),
        joined("{", inner, ":", inner, ", **", NAMES, "}"),
        joined("[", inner, " for ", NAMES, " in call(", inner, ")]"),
        joined("(lambda ", NAMES, "=", inner, ": ", inner, ")"),
        joined("(", inner, SPACE, "+", SPACE, inner, ")"),
        joined("(not ", inner, ")"),
        joined(NAMES, "[call(", inner, "):", inner, ", 1]"),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, LEAVES), compound, max_leaves=6)
SIMPLE = st.one_of(
    joined(NAMES, " = ", EXPRESSIONS),
    joined(NAMES, ": ", EXPRESSIONS, " = ", EXPRESSIONS),
    EXPRESSIONS,
    joined("assert ", EXPRESSIONS, ", ", EXPRESSIONS),
    st.just("import a.b as c"),
)
COMMENT = st.sampled_from(["", "  # é", " ;", "; pass", "  # type: ignore", " \t"])


@st.composite
def blocks(draw, indent="", depth=0):
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        lines.append(draw(st.sampled_from(["", "", "\n", f"{indent}# about\n", " \t\n"])))
        kind = draw(st.sampled_from(["simple", "simple", "if", "def", "class", "one-line"]))
        inside = indent + draw(st.sampled_from(["  ", "\t", "    "]))
        if kind == "simple" or depth > 1:
            lines.append(f"{indent}{draw(SIMPLE)}{draw(COMMENT)}\n")
            continue
        header = {
            "if": f"if {draw(EXPRESSIONS)}:",
            "def": f"def f({draw(NAMES)}={draw(EXPRESSIONS)}) -> {draw(EXPRESSIONS)}:",
            "class": f"class A(B, k={draw(EXPRESSIONS)}):",
            "one-line": f"if {draw(EXPRESSIONS)}: {draw(SIMPLE)}{draw(COMMENT)}",
        }[kind]
        if kind in {"def", "class"}:
            lines.append(f"{indent}@{draw(NAMES)}.call({draw(EXPRESSIONS)})\n")
        lines.append(f"{indent}{header}\n")
        if kind != "one-line":
            lines.append(draw(blocks(inside, depth + 1)))
        if kind == "if" and draw(st.booleans()):
            lines.append(f"{indent}elif {draw(EXPRESSIONS)}:\n{draw(blocks(inside, depth + 1))}")
    return "".join(lines)


@st.composite
def modules(draw):
    """The bytes of a module that Python and awaken read."""
    text = draw(blocks())
    text = draw(st.sampled_from(["", "\f", "'''doc'''\n", "#!/bin/sh\n# coding: utf-8\n"])) + text
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    for old in ("\n",):
        newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        text = text.replace(old, newline)
    raw = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    try:
        ast.parse(text)
    except SyntaxError:
        assume(False)
    return raw


def edits_of(module, rewriter, chosen):
    return [
        NodeEdit(
            path=PATH,
            anchor=module.span(node),
            node="Call",
            rewriter=rewriter,
            data="_renamed" if rewriter == "rename" else None,
            site="s",
        )
        for node in chosen
    ]


def calls_of(module):
    return [
        node for node in module.walk() if isinstance(node, ast.Call) and not module.in_fstring(node)
    ]


@given(modules(), st.data())
def test_a_rename_changes_its_names_and_no_other_byte(raw, data):
    source = decode(PATH, raw)
    module = Module(source, ast.parse(source.text.decode()), "shop")
    calls = calls_of(module)
    assume(calls)
    chosen = data.draw(st.lists(st.sampled_from(calls), min_size=1, unique=True))
    changes = [change(edit) for edit in edits_of(module, "rename", chosen)]
    result = apply_in_memory(Snapshot({PATH: source}), changes, REWRITERS)
    assert result.problems == ()
    ends = [module.span(node.func).end for node in chosen]
    expected = source.text
    for end in sorted(ends, reverse=True):
        expected = expected[: end - len(b"call")] + b"_renamed" + expected[end:]
    assert result.snapshot[PATH].text == expected
    assert result.snapshot[PATH].raw().startswith(b"\xef\xbb\xbf") is raw.startswith(
        b"\xef\xbb\xbf"
    )


@given(modules(), st.data())
@pytest.mark.slow
def test_wrapping_nested_calls_leads_back_to_every_call(raw, data):
    source = decode(PATH, raw)
    module = Module(source, ast.parse(source.text.decode()), "shop")
    calls = calls_of(module)
    assume(calls)
    chosen = data.draw(st.lists(st.sampled_from(calls), min_size=1, unique=True))
    edits = [*edits_of(module, "wrap", chosen), need("elsewhere")]
    result = apply_in_memory(Snapshot({PATH: source}), [change(*edits)], REWRITERS)
    assert result.problems == ()
    after = result.snapshot[PATH]
    new = Module(after, ast.parse(after.text.decode()), "shop")
    wrapped = [
        node
        for node in calls_of(new)
        if isinstance(node.func, ast.Name) and node.func.id == "wrapped"
    ]
    assert len(wrapped) == len(chosen)
    old = [module.span(node) for node in chosen]
    for node in wrapped:
        before = result.maps[PATH].to_before(new.span(node))
        assert any(before.contains(span) for span in old)


@given(modules(), st.data())
def test_rewriting_every_statement_without_a_change_changes_nothing(raw, data):
    source = decode(PATH, raw)
    module = Module(source, ast.parse(source.text.decode()), "shop")
    statements = [node for node in module.walk() if isinstance(node, ast.stmt)]
    assume(statements)
    chosen = data.draw(st.lists(st.sampled_from(statements), min_size=1, unique=True))
    changes = [
        change(
            NodeEdit(
                path=PATH,
                anchor=module.span(node),
                node=type(node).__name__,
                rewriter="identity",
                data=None,
                site="s",
            )
        )
        for node in chosen
    ]
    result = apply_in_memory(Snapshot({PATH: source}), changes, REWRITERS)
    assert result.problems == ()
    assert PATH not in result.maps


@given(modules())
def test_untouched_lines_survive_an_import(raw):
    source = decode(PATH, raw)
    result = apply_in_memory(Snapshot({PATH: source}), [change(need("elsewhere"))], REWRITERS)
    assert result.problems == ()
    text, moved = result.snapshot[PATH].text, result.maps[PATH]
    (region,) = moved.new_regions()
    assert text[: region.start] + text[region.end :] == source.text
    assert b"from library import elsewhere" in text[region.start : region.end]
    assert moved.to_before(Span(len(text), len(text))).end == len(source.text)

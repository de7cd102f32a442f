"""What comes of changes: the right bytes, all others as they were, and a problem for the rest."""

from __future__ import annotations

import ast

import pytest
from msgspec.structs import replace
from rewriting_helpers import (
    PATH,
    REWRITERS,
    after,
    change,
    insert,
    need,
    node_edit,
    refused,
    release,
    run,
    span,
    token,
)

from awaken.contract import CreateFile, Level, Requirement, Span, Surroundings, TextEdit
from awaken.engine.rewriting.slice_rewriting import (
    Job,
    Slice,
    SliceRejected,
    SliceTarget,
    rewrite_slice,
)
from awaken.workspace.sources import SourceFile, decode


# ------------------------------------------------------------------------------- expressions
@pytest.mark.parametrize(
    ("text", "code", "new", "expected"),
    [
        ("x = f(1)\n", "f(1)", "await g(1)", "x = await g(1)\n"),
        ("f(1).y\n", "f(1)", "await g(1)", "(await g(1)).y\n"),
        ("f(1)[0]\n", "f(1)", "a or b", "(a or b)[0]\n"),
        ("f(1)()\n", "f(1)", "lambda: 0", "(lambda: 0)()\n"),
        ("not f(1)\n", "f(1)", "a == b", "not a == b\n"),
        ("-f(1)\n", "f(1)", "a + b", "-(a + b)\n"),
        ("a * f(1)\n", "f(1)", "b + c", "a * (b + c)\n"),
        ("a - f(1)\n", "f(1)", "b - c", "a - (b - c)\n"),
        ("f(1) - a\n", "f(1)", "b - c", "b - c - a\n"),
        ("a ** f(1)\n", "f(1)", "-b", "a ** -b\n"),
        ("f(1) ** a\n", "f(1)", "-b", "(-b) ** a\n"),
        ("g(f(1), 2)\n", "f(1)", "a if b else c", "g(a if b else c, 2)\n"),
        ("g(*f(1))\n", "f(1)", "a or b", "g(*a or b)\n"),
        ("[*f(1)]\n", "f(1)", "a or b", "[*(a or b)]\n"),
        ("a if f(1) else b\n", "f(1)", "c if d else e", "a if (c if d else e) else b\n"),
        ("x = (f(1))\n", "f(1)", "a or b", "x = (a or b)\n"),
        (
            "return_ = f(1) if x else y\n",
            "f(1)",
            "lambda: 0",
            "return_ = (lambda: 0) if x else y\n",
        ),
        ("x: f(1) = 2\n", "f(1)", "a.b", "x: a.b = 2\n"),
        ("[y for y in f(1) if y]\n", "f(1)", "a or b", "[y for y in a or b if y]\n"),
        ("[y for y in f(1) if y]\n", "f(1)", "lambda: 0", "[y for y in (lambda: 0) if y]\n"),
        ("a < f(1)\n", "f(1)", "b < c", "a < (b < c)\n"),
    ],
)
def test_parentheses_only_where_they_are_needed(text, code, new, expected):
    found = after(text, change(node_edit(text, code, "parsed", new)))
    assert found == expected


def test_parentheses_for_some_of_many():
    text = "f(1).y\nf(2)\nf(3)[0]\n-f(4)\n"
    edits = [node_edit(text, f"f({n})", "parsed", f"await f({n})") for n in range(1, 5)]
    expected = "(await f(1)).y\nawait f(2)\n(await f(3))[0]\n-await f(4)\n"
    assert after(text, *map(change, edits)) == expected


def test_one_that_does_not_fit_leaves_the_others_their_parentheses():
    text = "f(1).y\nf(2)\nx[f(3)] = 1\n"
    edits = [node_edit(text, f"f({n})", "parsed", f"await f({n})") for n in (1, 2)]
    bad = change(node_edit(text, "x[f(3)]", "parsed", "g()", kind="Subscript"), id="bad")
    assert refused(text, *map(change, edits), bad)[1] == ["bad"]
    assert after(text, *map(change, edits)).startswith("(await f(1)).y\nawait f(2)\n")


def test_a_break_between_lines_needs_parentheses_outside_of_brackets():
    for text, expected in [
        ("if f(1): pass\n", "if (a\n.b()): pass\n"),
        ("print(f(1))\n", "print(a\n.b())\n"),
        ("x = (f(1))\n", "x = (a\n.b())\n"),
    ]:
        assert after(text, change(node_edit(text, "f(1)", "broken_line"))) == expected


def test_parentheses_inside_a_slice():
    text = "outer(f(1).y, -f(2), g(f(3)))\n"
    edits = [node_edit(text, f"f({n})", "parsed", "a + b") for n in (1, 2, 3)]
    edits.append(node_edit(text, text.strip(), "identity"))
    assert after(text, change(*edits)) == "outer((a + b).y, -(a + b), g(a + b))\n"


def test_parentheses_of_the_node_stay_around_what_replaces_it():
    text = "x = outer((  # why\n    f(1)\n))\n"
    edits = [node_edit(text, "f(1)", "wrap"), node_edit(text, text[4:-1], "identity")]
    assert after(text, change(*edits)) == "x = outer((  # why\n    wrapped(f(1))\n))\n"
    assert after(text, change(edits[0])) == "x = outer((  # why\n    wrapped(f(1))\n))\n"


def test_nested_edits_of_several_changes_compose_innermost_first():
    text = "f(g(h(1)))\n"
    outer = change(node_edit(text, "f(g(h(1)))", "wrap", "a"))
    middle = change(node_edit(text, "g(h(1))", "wrap", "b"))
    inner = change(node_edit(text, "h(1)", "wrap", "c"))
    assert after(text, outer, inner, middle) == "a(f(b(g(c(h(1))))))\n"
    assert after(text, inner, outer) == "a(f(g(c(h(1)))))\n"


def test_two_rewrites_of_one_node_in_one_change_run_in_order():
    text = "f(1, 2)\n"
    edits = [node_edit(text, "f(1, 2)", "swap"), node_edit(text, "f(1, 2)", "wrap")]
    assert after(text, change(*edits)) == "wrapped(f(2, 1))\n"


def test_two_changes_of_one_node_refuse_the_later():
    text = "f(1)\n"
    one, other = (change(node_edit(text, "f(1)", "wrap"), id=name) for name in ("one", "other"))
    assert refused(text, one, other) == ("another change already rewrites this code", ["other"])
    assert run(text, one, other).snapshot[PATH].text == b"wrapped(f(1))\n"


def test_a_rewrite_that_drops_a_nested_one_is_refused():
    text = "f(g(1))\n"
    outer = change(node_edit(text, "f(g(1))", "parsed", "other()"), id="outer")
    inner = change(node_edit(text, "g(1)", "wrap"))
    assert refused(text, inner, outer) == (
        "it drops another rewrite made inside this code",
        ["outer"],
    )


def test_comments_and_spaces_inside_an_expression_survive():
    text = "x = f(  # one\n    1,  # two\n\t2 ,\n)  # three\n"
    found = after(text, change(node_edit(text, text[4 : text.rindex(")") + 1], "rename", "g")))
    assert found == text.replace("f(", "g(")


def test_a_generator_keeps_the_parentheses_that_it_needs():
    text = "g((x for x in y), 1)\n"
    edit = node_edit(text, "(x for x in y)", "beside", kind="GeneratorExp")
    assert after(text, change(edit)) == "g(beside((x for x in y), 2), 1)\n"
    outer = node_edit(text, text[:-1], "identity")
    assert after(text, change(edit, outer)) == "g(beside((x for x in y), 2), 1)\n"


def test_code_that_libcst_does_not_give_back_is_refused():
    job = Job("change", "rule", REWRITERS["rule"]["identity"], None, Surroundings())
    part = Slice("\fx = 1\n", False, {"Assign": 1}, (SliceTarget("Assign", 0, (job,)),))
    with pytest.raises(SliceRejected, match="byte for byte"):
        rewrite_slice(part)


def test_nested_statements_of_every_form_are_kept():
    text = "if a:\n  # c\n  if b:\n    x\n  # d\n  elif c:\n    y\n  # e\nelif d:\n  z\n"
    parsed = ast.walk(ast.parse(text))
    codes = [ast.get_source_segment(text, node) for node in parsed if isinstance(node, ast.If)]
    edits = [node_edit(text, code, "identity", kind="If") for code in codes]
    assert after(text, *map(change, edits), change(node_edit(text, "y", "wrap", kind="Name"))) == (
        text.replace("y", "wrapped(y)")
    )


def test_a_lost_comment_is_refused_unless_the_change_is_unsafe():
    text = "x = f(  # why\n    1)\n"
    edit = node_edit(text, text[4:-1], "parsed", "g()")
    assert refused(text, change(edit, id="safe")) == ("it would lose the comment # why", ["safe"])
    assert after(text, change(edit, level=Level.UNSAFE)) == "x = g()\n"


def test_a_comment_that_is_dropped_by_name_is_not_lost_but_any_other_is():
    text = "x = f(  # why\n    1)  # type: ignore\n"
    edit = node_edit(text, text[4 : text.index(")") + 1], "parsed", "g()")
    assert after(text, change(replace(edit, drops=("# why",)))) == "x = g()  # type: ignore\n"
    other = replace(edit, drops=("# type: ignore",))
    assert refused(text, change(other, id="one")) == ("it would lose the comment # why", ["one"])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_comment_lines_above_go_with_the_statement_that_they_belong_to(newline):
    text = "a = 1\n\n# one\n# two\nf()\n\n\nb = 1\n".replace("\n", newline)
    edit = replace(node_edit(text, "f()", "remove", kind="Expr"), lines_above=2)
    assert refused(text, change(edit, id="one")) == ("it would lose the comment # one", ["one"])
    both = replace(edit, drops=("# one", "# two"))
    assert after(text, change(both)).split(newline) == ["a = 1", "", "", "b = 1", ""]
    second = replace(edit, lines_above=1, drops=("# two",))
    assert after(text, change(second)).split(newline)[:5] == ["a = 1", "", "# one", "", ""]


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("a = 1\n\n\n", "\n\nb = 1\n", "a = 1\n\nb = 1\n"),
        ("a = 1\n\n\n", "\n\n\nb = 1\n", "a = 1\n\nb = 1\n"),
        ("a = 1\n\n", "\n\nb = 1\n", "a = 1\n\n\nb = 1\n"),
        ("def g():\n    0\n\n\n", "\n\nb = 1\n", "def g():\n    0\n\n\nb = 1\n"),
        ("a = 1\n\n\n", "\n\ndef g(): 0\n", "a = 1\n\n\ndef g(): 0\n"),
        ("a = 1\n\n\n", "\n\n# g\n@h\ndef g(): 0\n", "a = 1\n\n\n# g\n@h\ndef g(): 0\n"),
    ],
)
def test_the_blank_lines_of_a_definition_go_with_it(above, below, expected):
    text = f"{above}def f():\n    0\n{below}"
    edit = node_edit(text, "def f():\n    0", "remove", kind="FunctionDef")
    assert after(text, change(edit)) == expected


def test_no_blank_line_is_left_at_the_start_of_a_block():
    text = "if a:\n    f()\n\n    b = 1\n"
    edit = node_edit(text, "f()", "remove", kind="Expr")
    assert after(text, change(edit)) == "if a:\n    b = 1\n"


def test_a_comment_that_moves_is_not_lost():
    text = "f(1,  # one\n  2)\n"
    assert after(text, change(node_edit(text, text[:-1], "swap"))) == "f(2,  # one\n  1)\n"


def test_decorators_defaults_annotations_and_base_classes():
    text = "@f(1)\nclass A(f(2), k=f(3)):\n    def m(self, a: f(4) = f(5), *b) -> f(6): ...\n"
    edits = [node_edit(text, f"f({n})", "rename", "g") for n in range(1, 7)]
    assert after(text, change(*edits)) == text.replace("f(", "g(")


def test_conditional_expressions_and_dicts_in_the_order_of_the_source():
    text = "x = (f(1) if f(2) else f(3), {f(4): f(5), **f(6)}, g(*f(7), k=f(8), *f(9)))\n"
    for number in range(1, 10):
        code = f"f({number})"
        statement = node_edit(text, text[:-1], "identity", kind="Assign")
        expected = text.replace(code, f"g({number})")
        assert after(text, change(statement, node_edit(text, code, "rename", "g"))) == expected


# -------------------------------------------------------------------------------- statements
@pytest.mark.parametrize(
    ("text", "code", "kind", "new", "expected"),
    [
        ("x = 1  # c\n", "x = 1", "Assign", "with y:\n    z\n", "# c\nwith y:\n    z\n"),
        ("if a:\n  x = 1  # c\n  b\n", "x = 1", "Assign", "y\nz\n", "if a:\n  y\n  z  # c\n  b\n"),
        (
            "if a:\n\tx = 1\n",
            "x = 1",
            "Assign",
            "for b in c:\n    d\n",
            "if a:\n\tfor b in c:\n\t\td\n",
        ),
        (
            "if a:\n  x\nelif b:\n  y\n",
            "elif b:\n  y",
            "If",
            "if c:\n  z\n",
            "if a:\n  x\nelif c:\n  z\n",
        ),
        ("a\n\nx = 1", "x = 1", "Assign", "y\nz\n", "a\n\ny\nz"),
        (
            "@d\n# c\ndef f():\n    x\n\n# e\n",
            "def f():\n    x",
            "FunctionDef",
            "def g(): 0\n",
            None,
        ),
    ],
)
def test_statements_are_replaced_with_their_lines(text, code, kind, new, expected):
    edit = node_edit(text, code, "statements", new, kind=kind)
    if expected is None:  # the decorator and its comment belonged to the function
        assert refused(text, change(edit, id="guilty"))[1] == ["guilty"]
        assert after(text, change(edit, level=Level.UNSAFE)) == "def g(): 0\n\n# e\n"
    else:
        assert after(text, change(edit)) == expected


def test_new_blocks_use_the_indentation_and_newlines_of_the_file():
    text = "if a:\r\n  if b:\r\n    x = 1\r\n"
    new = "with y:\n    z\n"
    found = after(text, change(node_edit(text, "x = 1", "statements", new, kind="Assign")))
    assert found == "if a:\r\n  if b:\r\n    with y:\r\n      z\r\n"


def test_a_block_stripped_of_its_only_statement_passes():
    text = "if a:\n    x = 1\nelse:\n    y = 1\n    z\n"
    edits = [node_edit(text, code, "remove", kind="Assign") for code in ("x = 1", "y = 1")]
    assert after(text, change(*edits)) == "if a:\n    pass\nelse:\n    z\n"


def test_a_statement_that_shares_its_line_cannot_become_several_lines():
    text = "x = 1; y\n"
    edit = node_edit(text, "x = 1", "statements", "if a: b\n", kind="Assign")
    message, guilty = refused(text, change(edit, id="guilty"))
    assert "shares its line" in message
    assert guilty == ["guilty"]


def test_a_statement_that_shares_its_line_can_be_replaced_by_another():
    text = "if a: x = f(1); y = f(2)\n"
    edits = [
        node_edit(text, f"{n} = f({i})", "identity", kind="Assign") for n, i in (("x", 1), ("y", 2))
    ]
    inner = node_edit(text, "f(2)", "wrap")
    assert after(text, change(*edits, inner)) == "if a: x = f(1); y = wrapped(f(2))\n"


# ------------------------------------------------------------------------------------- guilt
def test_a_node_that_libcst_does_not_take_in_its_place_is_refused():
    text = "x = not[f(1)]\n"
    edits = [
        node_edit(text, "[f(1)]", "parsed", "a", kind="List"),
        node_edit(text, "not[f(1)]", "identity", kind="UnaryOp"),
    ]
    message, guilty = refused(text, change(*edits, id="bad"))
    assert message.startswith("LibCST cannot write the new code")
    assert guilty == ["bad"]


def test_a_failing_insertion_costs_its_change_alone():
    edit = insert("x\n", "x", "before", "no such thing", rewriter="fail")
    message, guilty = refused("x\n", change(edit, id="bad"), change(need("a")))
    assert message == "internal error in rule: LookupError: no such thing"
    assert guilty == ["bad"]
    empty = insert("x\n", "x", "before", "", rewriter="nothing")
    assert refused("x\n", change(empty))[0] == "internal error in rule: no statements to insert"


def test_a_failing_rewriter_costs_its_change_alone():
    text = "f(1)\ng(2)\n"
    bad = change(node_edit(text, "f(1)", "fail", "no such thing"), id="bad")
    good = change(node_edit(text, "g(2)", "wrap"))
    message, guilty = refused(text, bad, good)
    assert message == "internal error in rule: LookupError: no such thing"
    assert guilty == ["bad"]
    assert run(text, bad, good).snapshot[PATH].text == b"f(1)\nwrapped(g(2))\n"


@pytest.mark.parametrize("rewriter", ["remove", "statements"])
def test_an_expression_is_replaced_by_an_expression_only(rewriter):
    text = "x = f(1)\n"
    edit = node_edit(text, "f(1)", rewriter, "y\n")
    message, guilty = refused(text, change(edit, id="bad"))
    assert "cannot replace this node" in message
    assert guilty == ["bad"]


def test_an_unknown_rewriter_is_an_internal_error():
    text = "x = f(1)\n"
    message, _ = refused(text, change(node_edit(text, "f(1)", "nobody")))
    assert message == "internal error in rule: it has no rewriter called nobody"


def test_a_result_that_reads_as_other_code_is_refused():
    text = "x = f(1)\n"
    message, _ = refused(text, change(node_edit(text, "f(1)", "compound")))
    assert message == "the rewritten code reads back differently from what was meant"


def test_code_that_does_not_fit_names_its_change():
    text = "f(1) = 2 if x else 3\n".replace("f(1)", "a[f(1)]")
    target = node_edit(text, "a[f(1)]", "parsed", "b()", kind="Subscript")
    message, guilty = refused(text, change(target, id="bad"))
    assert message == "the rewritten code does not fit into its place"
    assert guilty == ["bad"]


def test_a_file_that_does_not_parse_is_a_problem_of_all_its_changes():
    message, guilty = refused("f(1\n", change(need("a"), id="one"), change(need("b"), id="two"))
    assert "never closed" in message
    assert guilty == ["one", "two"]


def test_an_edit_inside_an_fstring():
    text = "x = f'{f(1)} {g(2)}'\n"
    tree = ast.parse(text)
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    code = ast.get_source_segment(text, call)
    result = run(text, change(node_edit(text, code, "wrap")))
    if result.problems:
        assert "f-string" in result.problems[0].message
    else:
        assert result.snapshot[PATH].text == b"x = f'{wrapped(f(1))} {g(2)}'\n"


def test_a_chain_too_long_for_libcst_is_refused():
    text = "x = a" + ".b()" * 400 + "\n"
    message, _ = refused(text, change(node_edit(text, text[4:-1], "identity")))
    assert "nested" in message


def test_code_that_libcst_does_not_parse_is_refused():
    text = "class A(f(1), k=1, *a): pass\n"
    message, _ = refused(text, change(node_edit(text, text[:-1], "identity", kind="ClassDef")))
    assert message.startswith("LibCST does not parse this code")
    assert after(text, change(node_edit(text, "f(1)", "wrap"))) == text.replace(
        "f(1)", "wrapped(f(1))"
    )


# ------------------------------------------------------------------------------------- files
@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfx = f(1)\r\ny = 2",
        "# coding: latin-1\n# größe\nx = f(1)\n".encode("latin-1"),
        b"\fx = f(1)\n\f\n",
        b"x = f(1)\ry = 2\r",
        b"x = 1\\\n + f(1)\\\n\n",
        b"if a:\r\n\tx = f(1)  \r\n\r\n\n\ty\n",
        b"a\r\nb\r\nx = g(\n f(1),\n  2)\r\n",
        "größe = '\u2028'; x = f(1)\n".encode(),
    ],
    ids=["bom", "latin-1", "form-feed", "cr", "backslash", "mixed", "mixed-inside", "non-ascii"],
)
def test_every_other_byte_survives(raw):
    text = decode(PATH, raw).text.decode()
    statement = text[text.index("x = ") : text.index("x = ") + 4]
    edits = [node_edit(text, "f(1)", "wrap")]
    if "g(" in text:
        code = text[text.index("g(") : text.rindex(")") + 1]
        edits.append(node_edit(text, code, "identity"))
    assert statement == "x = "
    result = run(raw, change(*edits))
    assert result.problems == ()
    assert result.snapshot[PATH].raw() == raw.replace(b"f(1)", b"wrapped(f(1))")


def test_places_lead_back_over_edits_and_imports():
    text = "import os\nx = f(1)\ny = 2\n"
    result = run(text, change(node_edit(text, "f(1)", "wrap"), need("wrapped")))
    new = result.snapshot[PATH].text.decode()
    assert new == "import os\n\nfrom library import wrapped\n\nx = wrapped(f(1))\ny = 2\n"
    moved = result.maps[PATH]
    assert moved.to_before(span(new, "y = 2")) == span(text, "y = 2")
    assert moved.to_before(span(new, "wrapped(f(1))")) == span(text, "f(1)")
    assert moved.to_before(span(new, "x = wrapped(f(1))")) == span(text, "x = f(1)")


def test_a_change_without_effect_leaves_no_trace():
    text = "x = f(1)\n"
    result = run(text, change(node_edit(text, "f(1)", "identity")))
    assert dict(result.maps) == {}
    assert result.snapshot[PATH].text == text.encode()


def test_created_files_are_shared_if_they_are_equal():
    changes = [
        change(CreateFile(path="new.py", text="x = 1\n", site="s"), id=name) for name in ("a", "b")
    ]
    result = run("", *changes)
    assert result.problems == ()
    assert result.created == {"new.py"}
    assert result.snapshot["new.py"] == SourceFile("new.py", b"x = 1\n")


def test_created_files_that_differ_or_exist_are_refused():
    one = change(CreateFile(path="new.py", text="x = 1\n", site="s"))
    other = change(CreateFile(path="new.py", text="x = 2\n", site="s"), id="other")
    there = change(CreateFile(path=PATH, text="", site="s"), id="there")
    assert refused("", one, other)[1] == ["other"]
    assert refused("", there) == ("the file to create exists already", ["there"])


def test_text_of_other_files():
    settings = SourceFile("settings.ini", "[a]\r\nurl = größe\r\n".encode())
    edit = TextEdit(path="settings.ini", anchor=Span(11, 18), text="x", site="s")
    result = run("", change(edit), change(edit), files={"settings.ini": settings})
    assert result.problems == ()
    assert result.snapshot["settings.ini"].text == b"[a]\r\nurl = x\r\n"
    other = change(TextEdit(path="settings.ini", anchor=Span(10, 12), text="y", site="s"), id="b")
    assert refused("", change(edit), other, files={"settings.ini": settings})[1] == ["b"]


def test_requirements_and_text_edits_of_one_manifest():
    manifest = SourceFile("pyproject.toml", b'[project]\ndependencies = []\nname = "a"\n')
    at = manifest.text.index(b'"a"')
    edits = [
        Requirement(root="", requirement="httpx", site="s"),
        TextEdit(path="pyproject.toml", anchor=Span(at, at + 3), text='"b"', site="s"),
    ]
    result = run("", change(*edits), files={"pyproject.toml": manifest})
    assert result.problems == ()
    text = result.snapshot["pyproject.toml"].text
    assert text == b'[project]\ndependencies = ["httpx"]\nname = "b"\n'
    assert result.maps["pyproject.toml"].to_before(
        Span(text.index(b'"b"'), text.index(b'"b"') + 3)
    ) == Span(at, at + 3)


def test_a_missing_file_is_a_problem():
    edit = TextEdit(path="gone.py", anchor=Span(0, 0), text="x", site="s")
    assert refused("", change(edit, id="a")) == ("there is no such file to edit", ["a"])


def test_the_same_result_whatever_else_is_in_the_project():
    text = "from library import f\nx = f(1)\n"
    edits = (node_edit(text, "f(1)", "rename", "g"), need("g"), release("f"))
    other = {"other.py": SourceFile("other.py", b"import shop\nprint(shop.g)\n")}
    assert after(text, change(*edits), files=other) == "from library import g\nx = g(1)\n"


FSTRINGS = {
    "a quote of its own": ("x = f'{f(1)}'\n", "d['a']", False),
    "another quote": ("x = f'{f(1)}'\n", 'd["a"]', True),
    "a quote that is there": ("x = f\"{f('b')}\"\n", "d['a']", True),
    "a backslash": ("x = f'{f(1)}'\n", 'd["\\\\"]', False),
    "two lines": ("x = f'{f(1)}'\n", "(d\n)", False),
    "two lines between three quotes": ("x = f'''{f(1)}'''\n", "(d\n)", True),
    "another f-string inside": ('x = f\'{f("a")} {f"{y}"}\'\n', "d['a']", False),
    "text beside the code": ("x = f'{y} f(1)'\n", "d\\'a", True),
    "no f-string": ("x = '' + f(1)\n", "d['a']", True),
}


@pytest.mark.parametrize(("text", "new", "fits"), FSTRINGS.values(), ids=FSTRINGS)
def test_a_token_for_an_fstring_fits_python_3_11(text, new, fits):
    code = next(code for code in ("f(1)", "f('b')", 'f("a")') if code in text)
    result = run(text, change(token(text, code, new)))

    assert [one.message.split()[1] for one in result.problems] == ([] if fits else ["f-string"])
    if fits:
        assert result.snapshot[PATH].text.decode() == text.replace(code, new)


def test_a_token_that_no_fstring_holds_leaves_the_other_changes_alone():
    text = "x = f'{f(1)}'\ny = g(1)\n"
    changes = [change(token(text, "f(1)", "d['a']"), id="a"), change(token(text, "g", "h"), id="b")]
    result = run(text, *changes)

    assert [one.changes for one in result.problems] == [("a",)]
    assert result.snapshot[PATH].text == b"x = f'{f(1)}'\ny = h(1)\n"

"""Edits of headers: LibCST sees the lines above the body, and the blocks stay as they are."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import libcst as cst
import pytest
from msgspec.structs import replace
from rewriting_helpers import PATH, REWRITERS, change, insert, module, node_edit, token

from awaken.contract import NodeEdit
from awaken.engine.edits.file_slices import header_region, region_of
from awaken.engine.formatting.formatter import Formatter
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.workspace.sources import Snapshot, decode

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
HEADERS = ["FunctionDef", "ClassDef", "If", "For", "While", "With"]
SEEN = []


def returning(node, data, around):
    """Give a function another annotation of what it returns, and note what was seen of it."""
    del around
    SEEN.append(cst.Module([node]).code)
    annotation = cst.Annotation(cst.Name(data), cst.SimpleWhitespace(" "))
    return node.with_changes(returns=annotation)


def spaced(node, data, around):
    """``if x:`` → ``if x :``."""
    del data, around
    field = "whitespace_after_test" if isinstance(node, cst.If) else "whitespace_before_colon"
    return node.with_changes(**{field: cst.SimpleWhitespace(" ")})


def emptied(node, data, around):
    del data, around
    return node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]))


def repeated(node, data, around):
    del data, around
    return [node, node]


OWN = {"rule": REWRITERS["rule"] | {f.__name__: f for f in (returning, spaced, emptied, repeated)}}


def statement(text, start):
    """Return the parsed file and its statement whose line is ``start``."""
    parsed = module(text)
    (found,) = (
        node
        for node in parsed.walk()
        if isinstance(node, ast.stmt) and parsed.text_of(node).startswith(start)
    )
    return parsed, found


def header(text, start, rewriter="returning", data="int"):
    parsed, node = statement(text, start)
    return NodeEdit(
        path=PATH,
        anchor=parsed.span(node),
        node=type(node).__name__,
        rewriter=rewriter,
        data=data,
        site="site",
        part="header",
    )


def run(text, *changes, line_length=88):
    source = decode(PATH, text if isinstance(text, bytes) else text.encode())
    return apply_in_memory(Snapshot({PATH: source}), changes, OWN, Formatter(line_length))


def after(text, *changes, **options):
    result = run(text, *changes, **options)
    assert result.problems == ()
    return result.snapshot[PATH].text.decode()


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("def f():\n    x\n    y\n", "def f", "def f():\n"),
        ("def f():  # c\n\n    # d\n    x\n", "def f", "def f():  # c\n"),
        ("# a\n@b  # c\n# d\n@e(\n1)\ndef f():\n    x\n", "def f", None),
        ("def f(\n    a,\n    # b\n):\n    # c\n    x\n", "def f", "def f(\n    a,\n    # b\n):\n"),
        ("def f(a='''\n# ''') :\n    x\n", "def f", "def f(a='''\n# ''') :\n"),
        ("def f(a) -> '''\n#''':\n\n    x\n", "def f", "def f(a) -> '''\n#''':\n"),
        ("class A(\n    B\n):\n    '''C'''\n", "class A", "class A(\n    B\n):\n"),
        ("def f():\n    @a\n    def g(): pass\n", "def f", "def f():\n"),
        ("def f():\n\f    x\n", "def f", "def f():\n"),
        ("with a as b, c:\n    x\n", "with", "with a as b, c:\n"),
        ("if a:\n    x\nelse:\n    y\n", "if", "if a:\n"),
        ("for a in b:\n    x\nelse:\n    y\n", "for", "for a in b:\n"),
        ("def f(): \\\n    x\n", "def f", "def f(): \\\n"),
    ],
)
def test_a_header_is_the_lines_above_the_body(text, start, expected):
    parsed, node = statement(text, start)
    found = header_region(parsed, node)
    code = text.encode()[found.span.start : found.span.end].decode()
    assert code == (text[4:].removesuffix("    x\n") if expected is None else expected)
    assert found.stand_in.strip() == b"pass"
    ast.parse(code + found.stand_in.decode())


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("def f(): x\n", "def f"),
        ("if a: x; y\n", "if"),
        ("if a:\n    x\nelif b:\n    y\n", "elif"),
        ("try:\n    x\nfinally:\n    y\n", "try"),
        ("match a:\n    case b:\n        x\n", "match"),
        ("x = 1\n", "x = 1"),
    ],
)
def test_what_has_no_header_that_stands_alone_is_taken_whole(text, start):
    parsed, node = statement(text, start)
    assert header_region(parsed, node) == region_of(parsed, node)


def test_a_parameter_takes_the_header_alone():
    text = "def f(a, b=1):\n    x\n\nlambda a: 0\n"
    parsed, node = statement(text, "def f")
    assert region_of(parsed, node.args.args[1]) == header_region(parsed, node)


def test_a_rewriter_of_a_header_sees_no_body():
    SEEN.clear()
    text = "def f(a):\n    x\n    if y:\n        z\n"
    assert after(text, change(header(text, "def f"))) == text.replace("(a)", "(a) -> int")
    assert SEEN == ["def f(a):\n    pass\n"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_other_byte_of_a_header_and_its_body_survives(newline, mark):
    text = (
        "class A:\n\t@b  # c\n\n\t# d\n\t@e\n\tasync def f(  # type: ignore\n"
        "\t\ta: 'ä',  # g\n\n\t\t*, b = 1 ,\n\t) :  # h\n\t\t# type: (...) -> int\n\n"
        "\t\t'''i'''  \n\t\treturn 1 \\\n +2\n\n\t# end"
    ).replace("\n", newline)
    raw = mark + text.encode()
    result = run(raw, change(header(text, "async def")))
    assert result.problems == ()
    assert result.snapshot[PATH].raw() == raw.replace(b"\t) :", b"\t) -> int :")


@pytest.mark.parametrize("body", [" return a", " return a; b", " \\\n    return a"])
def test_a_body_behind_the_colon_stays(body):
    text = f"def f(a):{body}\nx\n"
    assert after(text, change(header(text, "def f"))) == f"def f(a) -> int:{body}\nx\n"


def test_headers_of_nested_functions_and_what_stands_between_them():
    text = "def f(a):\n    g(1)\n    def h():\n        g(2)\n    g(3)\n"
    edits = [header(text, "def h", data="str"), header(text, "def f")]
    calls = [node_edit(text, f"g({number})", "wrap") for number in (1, 2, 3)]
    expected = (
        "def f(a) -> int:\n    wrapped(g(1))\n    def h() -> str:\n        wrapped(g(2))\n"
        "    wrapped(g(3))\n"
    )
    assert after(text, *map(change, [*edits, *calls])) == expected
    assert after(text, change(*calls, *edits)) == expected


def test_edits_inside_a_header():
    text = "@d(g(1))\ndef f(a=g(2), b: g(3) = 4) -> g(5):\n    g(6)\n"
    calls = [node_edit(text, f"g({number})", "rename", "h") for number in (1, 2, 3, 6)]
    tokens = [token(text, "a=", "c, a="), token(text, "4", "5")]
    expected = "@d(h(1))\ndef f(c, a=h(2), b: h(3) = 5) -> int:\n    h(6)\n"
    assert after(text, *map(change, [header(text, "def f"), *calls, *tokens])) == expected


def test_a_header_in_a_statement_that_is_rewritten_as_a_whole():
    text = "class A:\n    def f(a):\n        x\n"
    whole = node_edit(text, text[:-1], "identity", kind="ClassDef")
    found = after(text, change(whole), change(header(text, "def f")))
    assert found == text.replace("(a)", "(a) -> int")
    both = change(header(text, "def f"), replace(header(text, "def f"), part="whole", data="str"))
    assert after(text, both) == text.replace("(a)", "(a) -> str")


def test_statements_inserted_around_a_header_and_its_body():
    text = "def f(a):  # c\n    # d\n    x\n"
    function = text[:-1]
    edits = [
        insert(text, function, "before", "one\n"),
        insert(text, function, "body-start", "two\n"),
        insert(text, "x", "after", "three\n"),
        insert(text, function, "after", "four\n"),
    ]
    assert after(text, change(header(text, "def f"), *edits)) == (
        "one\ndef f(a) -> int:  # c\n    two\n    # d\n    x\n    three\nfour\n"
    )


def test_statements_that_go_from_the_body():
    text = "def f(a):\n    x = 1\n\n    y\n"
    gone = node_edit(text, "x = 1", "remove", kind="Assign")
    assert after(text, change(header(text, "def f")), change(gone)) == "def f(a) -> int:\n    y\n"
    only = "def f(a):\n    x = 1\n"
    gone = node_edit(only, "x = 1", "remove", kind="Assign")
    assert after(only, change(header(only, "def f"), gone)) == "def f(a) -> int:\n    pass\n"


@pytest.mark.parametrize("rewriter", ["emptied", "repeated", "remove", "nothing"])
@pytest.mark.parametrize("text", ["def f():\n    x\n", "def f(): x\n"])
def test_a_rewriter_that_changes_more_than_the_header_is_refused(rewriter, text):
    (problem,) = run(text, change(header(text, "def f", rewriter), id="one")).problems
    assert problem.message == "internal error in rule: it changes more than the header"
    assert problem.changes == ("one",)


def test_a_token_that_ends_the_header_early_is_refused():
    text = "def f(a):\n    x\n"
    early = token(text, "a", "a): pass\ndef g(b")
    problems = run(text, change(header(text, "def f"), early, id="one")).problems
    assert [problem.changes for problem in problems] == [("one",)]


def test_a_comment_in_a_header_is_not_lost():
    text = "def f(a):\n    # kept\n    x\n"
    moved = insert(text, "x", "after", "# lost\ny\n")
    assert "# lost" in after(text, change(header(text, "def f"), moved))
    with_comment = "def f(  # why\n    a):\n    x\n"
    edit = header(with_comment, "def f", "statements", "def f(b):\n    x\n")
    (problem,) = run(with_comment, change(edit)).problems
    assert "more than the header" in problem.message


def test_the_size_of_a_body_is_no_matter():
    text = "def f(a):\n" + "    xxxxxxxxx\n" * 10_000
    assert after(text, change(header(text, "def f"))) == text.replace("(a)", "(a) -> int")
    whole = replace(header(text, "def f"), part="whole")
    assert "no more than 100 kB" in run(text, change(whole)).problems[0].message


def test_a_long_line_of_the_body_lets_those_of_the_header_be_long():
    text = "def f(a, b):\n    c = 1\n    return a + b\n"
    edit = header(text, "def f", data="Integers")
    assert after(text, change(edit), line_length=20) == (
        "def f(\n    a, b\n) -> Integers:\n    c = 1\n    return a + b\n"
    )
    longer = text.replace("a + b", "aaaaaaaaa + bbbbbbbbb")
    edit = header(longer, "def f", data="Integers")
    found = after(longer, change(edit), line_length=20)
    assert found.startswith("def f(a, b) -> Integers:\n")


@pytest.mark.parametrize("name", ["bisect.py", "contextlib.py", "sched.py", "textwrap.py"])
def test_a_header_alone_and_with_its_body_is_written_the_same(name):
    source = decode(PATH, (LIBRARY / name).read_bytes())
    parsed = module(source.text)
    edits = [
        NodeEdit(
            path=PATH,
            anchor=parsed.span(node),
            node=type(node).__name__,
            rewriter="spaced",
            data=None,
            site="s",
            part="header",
        )
        for node in parsed.walk()
        if type(node).__name__ in HEADERS
    ]
    found = after(source.text, change(*edits), line_length=10_000)
    assert found == after(
        source.text, *(change(replace(one, part="whole")) for one in edits), line_length=10_000
    )
    assert found.count(" :\n") >= len(edits) / 2


def test_tokens_in_the_guard_of_a_case():
    text = "match a:\n    case 1 if b:\n        x\n    case 2 if (\n        d\n    ):\n        y\n"
    tokens = [token(text, "b", "not b"), token(text, "d", "not d")]
    expected = text.replace("if b", "if not b").replace(" d\n", " not d\n")
    assert after(text, change(*tokens)) == expected


def test_a_token_in_the_guard_of_a_case_frees_no_block_and_no_other_case():
    text = "match a:\n    case 1 if b:\n        x\n    case 2 if c:\n        y\n"
    for new in ("b: z\n    case 3 if c", "b:\n        z\n    case 3 if c"):
        problems = run(text, change(token(text, "b", new), id="one")).problems
        assert [problem.changes for problem in problems] == [("one",)]

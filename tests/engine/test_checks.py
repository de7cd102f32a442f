"""The checks of finished files: what they find, and whom they name."""

from __future__ import annotations

import sys

import pytest
from rewriting_helpers import PATH, change, node_edit, run, token

from awaken.contract import CreateFile
from awaken.engine.edits.splices import SpanMap
from awaken.engine.planning.checks import check
from awaken.engine.planning.in_memory import EditedSnapshot
from awaken.workspace.sources import Snapshot, SourceFile, decode

RUNNING = sys.version_info[:2]


def problems(text, *changes, lowest=RUNNING):
    raw = text if isinstance(text, bytes) else text.encode()
    before = Snapshot({PATH: decode(PATH, raw)})
    result = run(raw, *changes)
    assert result.problems == ()
    return [(p.message, list(p.changes)) for p in check(before, result, changes, lowest)]


def test_good_changes_have_no_problem():
    text = "def f():\n    return g(1)\n"
    assert problems(text, change(node_edit(text, "g(1)", "wrap"))) == []


def test_code_that_only_compiling_refuses_names_the_change_of_its_line():
    text = "def f():\n    h(g(1))\n    return g(2)\n"
    good = change(node_edit(text, "g(1)", "wrap"), id="good")
    bad = change(node_edit(text, "g(2)", "parsed", "await g(2)"), id="bad")
    ((message, guilty),) = problems(text, good, bad)
    assert "await" in message
    assert guilty == ["bad"]


def test_code_made_wrong_elsewhere_names_what_edits_the_same_statement():
    text = "x = 1\nasync def f():\n    a\n    return await g(2)\n"
    good = change(token(text, "x", "y"), id="good")
    bad = change(token(text, "async def", "def"), id="bad")
    ((_, guilty),) = problems(text, good, bad)
    assert guilty == ["bad"]


def test_where_the_culprit_cannot_be_told_nobody_is_named():
    text = "x = f(1)\n"
    one = change(node_edit(text, "f(1)", "wrap"), id="one")
    result = run(text, one)
    broken = result.snapshot[PATH].with_text(b"x = wrapped(f(1))\nawait y\n")
    result = EditedSnapshot(Snapshot({PATH: broken}), result.maps)
    far_away = change(token("x = 1\n" * 9, "x", "y", nth=8), id="far")
    found = list(check(Snapshot({PATH: decode(PATH, text.encode())}), result, [far_away], RUNNING))
    assert [problem.changes for problem in found] == [()]


def test_a_file_that_never_compiled_is_not_blamed():
    text = "await x\ny = f(1)\n"
    assert problems(text, change(node_edit(text, "f(1)", "wrap"))) == []


@pytest.mark.parametrize(
    ("new", "lowest", "fails"),
    [
        ("try: pass\nexcept* E: pass\n", (3, 10), True),
        ("try: pass\nexcept* E: pass\n", (3, 11), False),
        ("match x:\n    case 1: pass\n", (3, 9), True),
        ("match x:\n    case 1: pass\n", (3, 10), False),
    ],
)
def test_the_grammar_of_the_lowest_python(new, lowest, fails):
    text = "x = 1\n"
    edit = change(node_edit(text, "x = 1", "statements", new, kind="Assign"), id="new")
    assert [guilty for _, guilty in problems(text, edit, lowest=lowest)] == [["new"]] * fails


def test_text_that_the_encoding_cannot_hold():
    raw = "# coding: latin-1\nx = 'ü'; y = f(1)\n".encode("latin-1")
    text = decode(PATH, raw).text.decode()
    bad = change(token(text, "f(1)", "'€'"), id="bad")
    ((message, guilty),) = problems(raw, bad)
    assert message == "the file's encoding iso8859-1 cannot hold '€'"
    assert guilty == ["bad"]


@pytest.mark.parametrize("new", ["# \n", "# coding: cp1252\n", "# coding: no-such\n"])
def test_a_cookie_must_stay_what_it_is(new):
    raw = "\n# coding: latin-1\nx = 'ü'\n".encode("latin-1")
    bad = change(token(decode(PATH, raw).text.decode(), "# coding: latin-1\n", new), id="bad")
    ((message, guilty),) = problems(raw, bad)
    assert message == "the file would no longer be read as iso8859-1"
    assert guilty == ["bad"]


def test_a_foreign_line_end():
    text = "x = 1\r\ny = 2\r\n"
    bad = change(token(text, "2", "(2 +\n3)"), id="bad")
    ((message, guilty),) = problems(text, bad)
    assert "line ends of another kind" in message
    assert guilty == ["bad"]
    assert problems("x = 1\r\ny = 2\n", bad) == []


def test_a_created_file_must_compile():
    good = change(CreateFile(path="a.py", text="x = 1\n", site="s"))
    bad = change(CreateFile(path="b.py", text="x = \n", site="s"), id="bad")
    notes = change(CreateFile(path="c.txt", text="x = \n", site="s"))
    ((message, guilty),) = problems("", good, bad, notes)
    assert "does not compile" in message
    assert guilty == ["bad"]


def test_a_change_in_another_file_is_never_named():
    text = "def f():\n    return g(1)\n"
    bad = change(node_edit(text, "g(1)", "parsed", "await g(1)"), id="bad")
    other = change(CreateFile(path="a.py", text="", site="s"), id="other")
    assert [guilty for _, guilty in problems(text, other, bad)] == [["bad"]]


def test_hostile_depth_is_a_problem_and_no_crash():
    deep = b"(" * 5000 + b")" * 5000
    result = EditedSnapshot(Snapshot({PATH: SourceFile(PATH, deep)}), {PATH: SpanMap()})
    before = Snapshot({PATH: SourceFile(PATH, b"x\n")})
    (problem,) = check(before, result, [], RUNNING)
    assert "does not compile" in problem.message

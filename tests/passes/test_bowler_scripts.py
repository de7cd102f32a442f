"""Scripts of Bowler as passes: their queries are made on text, and nothing of Bowler writes."""

from __future__ import annotations

from textwrap import dedent

import pytest
from bowler import Query

from awaken.passes.child.bowler_script import load
from awaken.passes.messages import Item, Ready, Rewritten, Setup, Unreadable, Unusable

RENAMES = """
    from bowler import Query

    def main():
        Query().select_function("old").rename("new").{}
"""


@pytest.fixture(autouse=True)
def _bowler_is_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(Query, "execute", Query.execute)
    monkeypatch.chdir(tmp_path)


def loaded(tmp_path, script):
    path = tmp_path / "script.py"
    path.write_text(dedent(script))
    return load(Setup(kind="bowler", target=str(path), root=str(tmp_path)))


def made(tmp_path, script, text, path="a.py"):
    """Return what a script makes of a file."""
    ready, queries = loaded(tmp_path, script)
    assert isinstance(ready, Ready), ready
    content = text if isinstance(text, bytes) else text.encode()
    return queries.rewritten(Item(path, content))


@pytest.mark.parametrize("ending", ["write()", "diff()", "idiff()", "silent()", "execute()"])
def test_whatever_ends_a_query_is_captured(tmp_path, ending):
    answer = made(tmp_path, RENAMES.format(ending), "def old(): pass\nold()\n")

    assert answer == Rewritten(b"def new(): pass\nnew()\n")


def test_several_queries_are_made_in_order(tmp_path):
    script = """
        from bowler import Query
        import sys

        def main():
            Query().select_function("a").rename("b").write()
            Query().select_function("b").rename("c").write()
            sys.exit(0)
    """

    assert made(tmp_path, script, "a()\n").content == b"c()\n"


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfold()\n",
        b"old()\r\nx = 1\r\n",
        b"x = 1\r\nold()\ny = 2\r\n",
        b"x = 1\nold()",
        b"x = 1\n\x0c\nold()\n",
        "# coding: latin-1\nx = '\xe9'\nold()\n".encode("latin-1"),
        b"",
    ],
)
def test_what_bowler_loses_survives(tmp_path, text):
    answer = made(tmp_path, RENAMES.format("write()"), text)

    assert answer.content == text.replace(b"old", b"new")


def test_what_its_grammar_lacks_is_told(tmp_path):
    answer = made(tmp_path, RENAMES.format("write()"), "match old:\n    case 1:\n        old()\n")

    assert isinstance(answer, Unreadable)
    assert answer.line == 1


def test_words_of_selectors_filter_files_where_all_have_one(tmp_path):
    script = """
        from bowler import Query

        def main():
            Query().select_function("old").rename("new").write()
            Query().select_module("shop.cart").rename("basket").write()
    """
    ready, _ = loaded(tmp_path, script)
    anywhere = dedent(script).rstrip() + "\n    Query().select_root().modify(print).write()\n"
    unfiltered, _ = loaded(tmp_path, anywhere)

    assert ready.triggers == ("old", "shop")
    assert unfiltered.triggers == ()


def test_processors_see_hunks_and_may_refuse_them(tmp_path):
    script = """
        from bowler import Query
        from fissix.fixer_util import Name

        def accepted(filename, hunk):
            assert hunk[0].startswith("---") and hunk[2].startswith("@@")
            return "-old(2)" not in hunk

        def main():
            Query().select_function("old").rename("new").process(accepted).write()
    """
    between = "x = 1\n" * 10

    answer = made(tmp_path, script, f"old(1)\n{between}old(2)\n{between}old(3)\n")

    assert answer.content.decode() == f"new(1)\n{between}old(2)\n{between}new(3)\n"


def test_files_are_those_of_the_query(tmp_path):
    (tmp_path / "in").mkdir()
    script = """
        from bowler import Query

        def main():
            Query("in", filename_matcher=lambda one: one.endswith("a.py")).select_function(
                "old"
            ).rename("new").write()
    """

    contents = {path: made(tmp_path, script, "old()\n", path).content for path in PATHS}

    assert [path for path, content in contents.items() if content == b"new()\n"] == ["in/a.py"]


PATHS = ["a.py", "in/a.py", "in/b.py"]


def test_what_a_callback_does_is_done(tmp_path):
    script = """
        from bowler import Query
        from fissix.pytree import Leaf

        def flags(node, capture, filename):
            for leaf in node.leaves():
                if leaf.value == "False":
                    leaf.value = "True"
            return node

        def main():
            Query().select_function("old").filter(lambda n, c, f: True).modify(flags).write()
            Query().select_attribute("a").in_class("A").encapsulate("b").write()
    """

    assert made(tmp_path, script, "old(False)\n").content == b"old(True)\n"


def test_a_script_that_makes_no_query_says_so(tmp_path):
    unusable, _ = loaded(tmp_path, "x = 1\n")

    assert isinstance(unusable, Unusable)
    assert "it makes no query" in unusable.why

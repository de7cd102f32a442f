"""Scripts of Bowler as passes: their queries are made on text, and nothing of Bowler writes."""

from __future__ import annotations

import ast
import sys
from textwrap import dedent

import bowler.query
import pytest
from bowler import Query
from bowler.tool import BowlerTool

from awaken.passes.child.bowler_scripts.script_loading import load
from awaken.passes.protocol import Item, Ready, Rewritten, Setup, Unreadable, Unusable

RENAMES = """
    from bowler import Query

    def main():
        Query().select_function("old").rename("new").{}
"""


@pytest.fixture(autouse=True)
def _bowler_is_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(Query, "execute", Query.execute)
    monkeypatch.setattr(BowlerTool, "run", BowlerTool.run)
    monkeypatch.setattr("bowler.query.find_previous", bowler.query.find_previous)
    monkeypatch.setattr("sys.path", [*sys.path])
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


TWICE = """
    from bowler import Query

    def main():
        query = Query().select_function("old").add_argument("a", "1")
        query.{}
        query.{}
"""


@pytest.mark.parametrize(
    ("first", "then", "times"),
    [
        ("diff()", "write()", 1),
        ("diff()", "idiff()", 1),
        ("write()", "diff()", 1),
        ("write()", "write()", 2),
    ],
)
def test_what_is_shown_and_written_is_made_once(tmp_path, first, then, times):
    answer = made(tmp_path, TWICE.format(first, then), "def old(): pass\n")

    assert answer.content.decode() == f"def old({', '.join(['a=1'] * times)}): pass\n"


@pytest.mark.parametrize("place", ["at import", "in main", "changed later"])
def test_names_mean_what_they_meant_when_the_query_was_to_be_run(tmp_path, place):
    loop = """
        for old, new in [("a", "b"), ("b", "c"), ("x", "y")]:
            def rename(node, capture, filename):
                capture["function_name"].replace(Name(new))
            Query().select_function(old).filter(lambda n, c, f: old).modify(rename).write()
        old = None
    """
    head = "from bowler import Query\nfrom fissix.fixer_util import Name\n"
    query = """
        query = Query().select_function("a").rename("c")
        query.write()
        query.select_function("x").rename("y").write()
        query.current.filters.append(lambda n, c, f: False)
    """
    script = {
        "at import": head + dedent(loop),
        "in main": f"{head}def main():\n{loop}",
        "changed later": head + dedent(query),
    }[place]

    assert made(tmp_path, script, "a()\nx()\n").content == b"c()\ny()\n"


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


@pytest.mark.parametrize(
    "text",
    [
        "match old:\n    case 1:\n        old()\n",
        "def f(a, /):\n    old()\n",
        "try:\n    old()\nexcept* ValueError:\n    pass\n",
        "def f[T](a: T):\n    old()\n",
        "type Old = old\n",
        "x = f'{old('a' f'{1}')}' f\"{old(\"a\")}\"\n",
        "with (old() as a, old() as b):\n    pass\n",
    ],
)
def test_what_its_grammar_lacks_is_told(tmp_path, text):
    answer = made(tmp_path, RENAMES.format("write()"), text)
    without = made(tmp_path, RENAMES.format("write()"), text.replace("old", "odl"))

    assert isinstance(answer, Unreadable)
    assert answer.line in range(1, 4)
    assert answer.why.startswith("its grammar has no rule for `")
    assert isinstance(without, Rewritten)


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


@pytest.mark.parametrize(
    "selected",
    [
        """select("NAME")""",
        """select_function("old' | 'older")""",
        """select_root()""",
        """fixer(Fixer)""",
        """select_function("old").select_pattern("'other'")""",
    ],
)
def test_what_may_stand_anywhere_has_no_words(tmp_path, selected):
    script = f"""
        from bowler import Query
        from fissix.fixer_base import BaseFix

        class Fixer(BaseFix):
            PATTERN = "'old'"

        def main():
            Query().select_var("a").rename("b").write()
            Query().{selected}.modify("node").write()
    """

    assert loaded(tmp_path, script)[0].triggers == ()


@pytest.mark.parametrize(
    ("selected", "text"),
    [
        ('select_function("old")', "old()\n"),
        ('select_function(name="old")', "from a import old\n"),
        ('select_method("old")', "a.old()\n"),
        ('select_module("old.module")', "import old.module as x\n"),
        ('select_class("old")', "class old:\n    pass\n"),
        ('select_subclass("old")', "class x(old):\n    pass\n"),
        ('select_attribute("old")', "a.old = 1\n"),
        ('select_var("old")', "old = 1\n"),
        ("select_function(old)", "old()\n"),
        ("select(\"'old'\")", "old\n"),
    ],
)
def test_each_selector_finds_its_site_by_its_word(tmp_path, selected, text):
    script = f"""
        from bowler import Query

        def old(): ...

        def marked(node, capture, filename):
            next(node.leaves()).prefix = "# marked\\n"

        def main():
            Query().{selected}.modify(marked).write()
    """
    ready, queries = loaded(tmp_path, script)

    assert queries.rewritten(Item("a.py", text.encode())).content.startswith(b"# marked\n")
    assert any(one in text for one in ready.triggers or ("",))


def test_processors_see_hunks_and_may_refuse_them(tmp_path):
    script = """
        from bowler import Query
        from fissix.fixer_util import Name

        def accepted(filename, hunk):
            assert hunk[0].startswith("---") and hunk[2].startswith("@@")
            assert hunk[-1] == " x = 1" or hunk[-1][1:] in ("old(3)", "new(3)")
            return "-old(2)" not in hunk

        def main():
            Query().select_function("old").rename("new").process(accepted).write()
    """
    between = "x = 1\n" * 10

    answer = made(tmp_path, script, f"old(1)\n{between}old(2)\n{between}old(3)\n")

    assert answer.content.decode() == f"new(1)\n{between}old(2)\n{between}new(3)\n"


@pytest.mark.parametrize("ending", ["write()", "process(lambda name, hunk: None).write()"])
@pytest.mark.parametrize("text", ["old()", "x = 1\r\nold()", "x = 1\n\x0cold()\r\n", "\n\nold()"])
def test_lines_behind_the_last_one_have_ends(tmp_path, ending, text):
    script = """
        from bowler import Query
        from fissix.fixer_util import Name

        def more(node, capture, filename):
            node.append_child(Name("\\nlast()"))

        def main():
            Query().select_function("old").modify(more).{}
    """

    end = "\r\n" if "\r" in text else "\n"
    expected = text.replace("old()", f"old(){end}last()")
    assert made(tmp_path, script.format(ending), text).content == expected.encode()


def test_a_processor_may_write_into_a_hunk(tmp_path):
    script = """
        from bowler import Query

        def loud(filename, hunk):
            hunk[:] = [one.replace("new(1)", "NEW(1)") for one in hunk]

        def main():
            Query().select_function("old").rename("new").process(loud).write()
    """

    answer = made(tmp_path, script, "x = 1\r\nold(1)\r\nold(2)\r\n")

    assert answer.content == b"x = 1\r\nNEW(1)\r\nnew(2)\r\n"


@pytest.mark.parametrize(
    ("given", "path", "name"),
    [
        ("", "in/a.py", "./in/a.py"),
        ("'in'", "in/a.py", "in/a.py"),
        ("['in', 'a.txt']", "a.txt", "a.txt"),
        ("'.'", ".hidden/a.py", None),
        ("'.'", "a.txt", None),
        ("'in/../in'", "in/a.py", "in/../in/a.py"),
        ("'elsewhere'", "in/a.py", None),
    ],
)
def test_a_file_has_the_name_that_bowler_gives_it(tmp_path, given, path, name):
    (tmp_path / "in").mkdir()
    script = f"""
        from bowler import Query
        from fissix.fixer_util import Name

        def named(node, capture, filename):
            node.children[0].replace(Name(repr(filename)))

        def main():
            Query({given}).select_function("old").modify(named).write()
    """

    expected = "old()\n" if name is None else f"{name!r}()\n"
    assert made(tmp_path, script, "old()\n", path).content.decode() == expected


def test_paths_count_from_the_project_where_they_are_not_here(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    root = tmp_path / "in"
    for given in ("", "'.'", "'shop'"):
        script = RENAMES.replace("Query()", f"Query({given})").format("write()")
        path = root / "script.py"
        path.write_text(dedent(script))
        _, queries = load(Setup(kind="bowler", target=str(path), root=str(root)))

        assert queries.rewritten(Item("shop/a.py", b"old()\n")).content == b"new()\n"


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


def test_fixers_of_2to3_work(tmp_path):
    script = """
        from bowler import Query
        from fissix.fixes.fix_has_key import FixHasKey
        from fissix.fixes.fix_ne import FixNe

        def main():
            Query().fixer(FixHasKey).write()
    """

    assert made(tmp_path, script, "a.has_key(b)\n").content == b"b in a\n"


def test_python_version_says_which_grammar(tmp_path):
    script = """
        from bowler import Query

        def main():
            Query(python_version=2).select_function("old").rename("new").write()
    """

    assert made(tmp_path, script, "print old(), 1\n").content == b"print new(), 1\n"


@pytest.mark.parametrize(
    ("body", "behind"),
    [
        ("    def __init__(self):\n        self.owner = 1\n", "\n\nx = 1\n"),
        ("    owner = None\n\n    def other(self):\n        pass\n", "x = 1\n"),
        ("    def f(self):\n        pass\n\n    owner = 1\n", "# why\nx = 1\n"),
        ("    owner = 1\n", ""),
    ],
)
def test_encapsulate_keeps_the_blocks(tmp_path, body, behind):
    script = """
        from bowler import Query

        def main():
            Query().select_attribute("owner").in_class("A").encapsulate().write()
    """

    content = made(tmp_path, script, f"class A:\n{body}{behind}").content

    owner, *others = ast.parse(content).body
    names = [one.name for one in owner.body if isinstance(one, ast.FunctionDef)]
    assert names[-2:] == ["owner", "owner"]
    assert [ast.unparse(one) for one in others] == (["x = 1"] if behind else [])


def test_a_query_that_breaks_a_file_for_the_next_is_told(tmp_path):
    script = """
        from bowler import Query

        def main():
            Query().select_function("old").rename("not a name").write()
            Query().select_root().modify("node").write()
    """

    with pytest.raises(Exception, match="what the next cannot read: its grammar has no rule"):
        made(tmp_path, script, "old()\n")


def test_a_script_that_makes_no_query_says_so(tmp_path):
    unusable, _ = loaded(tmp_path, "x = 1\n")

    assert isinstance(unusable, Unusable)
    assert "it makes no query" in unusable.why

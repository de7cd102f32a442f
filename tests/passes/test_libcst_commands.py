"""Codemods of LibCST as passes: what they are given, what becomes of what they give."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import libcst as cst
import pytest
from codemods import WRITTEN, DecoratedCommand, InheritsCommand
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import RemoveImportsVisitor
from libcst.matchers import _visitors

from awaken import api
from awaken.knowledge.codemods import words_of
from awaken.passes.child.libcst_commands.command_loading import load, names_of, with_lost_bytes
from awaken.passes.pass_settings import PassSettings
from awaken.passes.protocol import Item, Ready, Rewritten, Setup, Skipped, Unreadable, Warned
from awaken.settings import Settings

HERE = Path(__file__).parent
FILES = {"a.py": ("a", ""), "shop/b.py": ("shop.b", "shop"), "shop/__init__.py": ("shop", "shop")}


@pytest.fixture(autouse=True)
def _codemods_are_importable(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


def loaded(target, *named, settings=""):
    """Return what loading a command of this process gives: whether it can be used, and itself."""
    files = {"root": str(HERE), "files": FILES, "settings": settings}
    return load(Setup(kind="libcst", target=f"codemods.{target}", named=named, **files))


def made(target, text, *named, path="a.py", settings=""):
    """Return what a command makes of the text of a file."""
    ready, command = loaded(target, *named, settings=settings)
    assert isinstance(ready, Ready)
    return command.rewritten(Item(path, text.encode()))


def test_arguments_are_those_of_its_own_parser():
    answer = made("RenameCommand", "a = b\n", ("old", "b"), ("new", "c"), ("only", "x"))

    assert answer == Rewritten(b"a = c\n")


def test_it_warns_in_its_own_words_and_knows_the_names_of_the_project(capsys):
    named = ("old", "b"), ("new", "c"), ("loud", "true")

    answer = made("RenameCommand", "b\n", *named, path="shop/b.py")

    assert answer.warnings == (Warned("b is gone from shop.b", 1),)
    assert capsys.readouterr().out == "renamed in shop\n"


def test_a_warning_stands_at_the_line_that_is_visited():
    text = "x = 1\n\n\ndef f():\n    here(\n        1,\n        2,\n    )\n"

    answer = made("WarnsCommand", text)

    assert answer.warnings == (
        Warned("before all", 0),
        Warned("a function: f", 4),
        Warned("the last number", 7),
        Warned("visited by another: here", 5),
        # Its tree is the one that was made of the file, where lines are others.
        Warned("a second time", 0),
        Warned("behind all", 0),
    )


@pytest.mark.parametrize(
    ("target", "named", "why"),
    [
        ("RenameCommand", [("old", "b")], "required: --new"),
        ("RenameCommand", [("odl", "b")], "no argument 'odl'; its arguments are: loud, new, old"),
        ("NoSuchCommand", [], "there is no such command"),
        ("AbstractCommand", [], "it is abstract: it does not define transform_module_impl"),
        ("SEEN", [], "it is no class of a CodemodCommand"),
        ("TypesCommand", [], "only a running Pyre"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(target, named, why):
    unusable, command = loaded(target, *named)

    assert why in unusable.why
    assert command is None


def test_a_module_with_several_commands_is_ambiguous():
    unusable, _ = load(Setup(kind="libcst", target="codemods"))

    assert "it has several commands, " in unusable.why
    assert "RenameCommand" in unusable.why


def test_a_command_of_libcst_is_found_as_its_own_tool_finds_it():
    setup = Setup(kind="libcst", target="noop.NOOPCommand", files=FILES)
    _, command = load(setup)

    assert command.rewritten(Item("a.py", b"a\n")) == Rewritten(b"a\n")


def test_modules_are_those_of_the_settings_of_libcst():
    names = {"target": "test_libcst_commands.X", "settings": "modules: [no.such]"}

    unusable, _ = load(Setup(kind="libcst", **names))

    assert "there is no such command, here or in no.such" in unusable.why


LISTED = """
with open({trace!r}, "a") as trace:
    trace.write(__name__ + " ")
from libcst.codemod import CodemodCommand

class {name}(CodemodCommand):
    DESCRIPTION = "listed"

    def transform_module_impl(self, tree):
        return tree
"""
IMPORTED = [
    # What the user names is imported, and where it stands.
    ("others.one.OneCommand", "others others.one "),
    ("one.OneCommand", "others others.one "),
    ("nested.inner.InnerCommand", "nested.inner "),
    ("inner.InnerCommand", "nested.inner "),
    ("SameCommand", "same "),
    ("same", "same "),
    # What is misspelt may be meant, and nothing that the file lists beside it.
    ("one.OneComand", ""),
    ("oen.OneCommand", ""),
    ("SameComand", ""),
    ("missing.Command", ""),
    ("codemods.RenameComand", ""),
    # Nor is a module that is called like one of LibCST's own.
    ("noop.NOOPComand", ""),
    ("noop.NOOPCommand", ""),
]


@pytest.mark.parametrize(("target", "imported"), IMPORTED)
def test_modules_of_the_settings_are_imported_where_they_hold_the_command(
    tmp_path, monkeypatch, target, imported
):
    trace = tmp_path / "trace"
    trace.touch()
    for path, name in {
        "others/__init__": "Any",
        "others/one": "OneCommand",
        "nested/inner": "InnerCommand",
        "same": "SameCommand",
        "noop": "Other",
    }.items():
        place = tmp_path / f"{path}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text(LISTED.format(trace=str(trace), name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = "modules: [others, nested, same, not.there, json]\n"

    loading, _ = load(Setup(kind="libcst", target=target, settings=settings))

    for name in ("others", "others.one", "nested", "nested.inner", "same", "noop"):
        sys.modules.pop(name, None)
    assert trace.read_text() == imported
    is_there = bool(imported) or target == "noop.NOOPCommand"
    assert isinstance(loading, Ready) is is_there
    assert is_there or "there is no such command" in loading.why


def test_a_star_may_bring_the_command_and_a_module_without_source_does_not(tmp_path, monkeypatch):
    (tmp_path / "stars.py").write_text("from codemods import *\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = "modules: [stars, _json, sys]\n"

    for target, is_there in (("BreaksCommand", True), ("_json.Command", False)):
        loading, _ = load(Setup(kind="libcst", target=target, settings=settings))
        assert isinstance(loading, Ready) is is_there


@pytest.mark.parametrize(
    ("text", "settings", "why"),
    [
        ("# @gen" + "erated\nb\n", "", "generated"),
        ("# made by hand\nb\n", "generated_code_marker: made by hand", "generated"),
        ("b\n", "blacklist_patterns: ['.*/a.py']", "pattern"),
        ("skips\n", "", "not this one"),
    ],
)
def test_files_that_are_left_out_say_why(text, settings, why):
    answer = made("FailsCommand", text, settings=settings)

    assert isinstance(answer, Skipped)
    assert why in answer.why


def test_the_other_build_of_yaml_will_do(monkeypatch):
    other = ModuleType("yaml_ft")
    other.__spec__ = ModuleSpec("yaml_ft", None)
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.setitem(sys.modules, "yaml_ft", other)
    monkeypatch.delitem(sys.modules, "awaken.passes.child.libcst_commands.yaml_library")

    assert import_module("awaken.passes.child.libcst_commands.yaml_library").yaml is other


def test_what_the_parser_of_libcst_refuses_is_told_with_its_line():
    answer = made("FailsCommand", "a\nb = = c\n")

    assert isinstance(answer, Unreadable)
    assert answer.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "match old:\n    case [old, *_]:\n        pass\n",
        "def f(old: int | None, /, *x: *tuple[int, ...]) -> A[*old]: ...\n",
        "with (open(old) as a, open(old) as b):\n    pass\n",
        "try:\n    old\nexcept* ValueError as old:\n    pass\n",
        "type old[T = int] = list[T]\nclass A[**P, *Ts]: x = old\n",
        'x = f"{old["a"]:{old}}"\n',
        "async def f():\n    return [x async for x in old if await old]\n",
        "if x:\n\tif old:\n\t\told\nelse:\n  old\n",
        "x = 1 + \\\n    old   \n\n\n",
    ],
)
def test_all_syntax_of_python_is_read(text):
    answer = made("RenameCommand", text, ("old", "old"), ("new", "new"))

    assert answer == Rewritten(text.replace("old", "new").encode())


@pytest.mark.parametrize(
    ("before", "read", "after", "wanted"),
    [
        (b"\x0ca = 1\nb\n", b"a = 1\nb\n", b"a = 2\nb\n", b"\x0ca = 2\nb\n"),
        (b"\x0ca\nb\n", b"a\nb\n", b"a\nc\nd\n", b"\x0ca\nc\nd\n"),
        (b"a\rb\r", b"a\rb", b"a\rc", b"a\rc\r"),
        (b"a\rb\r", b"a\rb", b"c\rb", b"c\rb\r"),
        (b"a\n", b"a\n", b"b\n", b"b\n"),
        (b"a\nb\n", b"a b\n", b"c\n", b"c\n"),
    ],
)
def test_what_the_parser_loses_is_put_back(before, read, after, wanted):
    assert with_lost_bytes(before, read, after) == wanted


def test_metadata_of_the_whole_project_come_from_awaken():
    answer = made("NamesCommand", "def f(): pass\n", path="shop/b.py")

    assert b'"shop.b.f b.py"' in answer.content


def test_visitors_share_a_context_that_is_fresh_for_each_file():
    _, command = loaded("ImportsCommand")

    for path in ("a.py", "shop/b.py"):
        assert command.rewritten(Item(path, b"x\n")).content == b"import os\n\nx\n"


# ------------------------------------------------------------------------- in a process of its own
def report(root, files, target, **settings):
    """Return the one report of a run of a pass over a program with these files."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    given = PassSettings(libcst=f"codemods.{target}", name="it", **settings)
    options = api.Options(
        settings=Settings(select=("it",), unsafe_fixes=True, passes=(given,)), isolated=True
    )
    (one,) = api.run([root], options, []).roots
    return one


@pytest.fixture
def _here(monkeypatch):
    # Passes of the command line are imported from where the user is.
    monkeypatch.chdir(HERE)


def texts_of(one):
    """Return the files that a run changes, with their new bytes."""
    return {file.path: file.after.raw() for file in one.files}


@pytest.mark.usefixtures("_here")
def test_every_file_gets_a_process_that_knows_no_other(tmp_path):
    files = {f"{name}.py": "a\n" for name in "abcdef"}

    one = report(tmp_path, files, "RemembersCommand")

    assert set(texts_of(one).values()) == {b"seen = 1, 1\n"}
    assert len(one.files) == len(files)


def test_where_nothing_can_be_forked_codemods_are_refused(tmp_path, monkeypatch):
    monkeypatch.delattr("os.fork")

    one = report(tmp_path, {"a.py": "old = 1\n"}, "RenameCommand")

    assert not one.files
    (error,) = one.diagnostics
    assert error.message.startswith("it: third-party codemods need processes that fork")


@pytest.mark.usefixtures("_here")
def test_what_goes_wrong_in_one_file_costs_that_file_alone(tmp_path):
    failing = {"raises", "exits", "dies", "asks", "writes", "connects"}
    files = {f"{name}.py": f"x = {name}\n" for name in {*failing, "works"}}

    one = report(tmp_path, files, "FailsCommand")

    assert texts_of(one) == {"works.py": b"x = worked\n"}
    said = {one.path.removesuffix(".py"): one.message for one in one.diagnostics}
    assert set(said) == failing
    assert "ValueError: no" in said["raises"]
    assert "codemods.py:" in said["raises"]
    assert "ends the process" in said["exits"]
    assert "exit code 3" in said["dies"]
    assert "EOF" in said["asks"]
    assert "must not use the network" in said["connects"]
    assert "must not change files" in said["writes"]
    assert not WRITTEN.exists()


@pytest.mark.usefixtures("_here")
def test_encodings_line_ends_and_the_end_of_a_file_survive(tmp_path):
    files = {
        "bom.py": b"\xef\xbb\xbfold = 1\n",
        "crlf.py": b"old = 1\r\nx = 2\r\n",
        "latin.py": "# -*- coding: latin-1 -*-\nold = 'é'\n".encode("latin-1"),
        "open.py": b"x = 1\nold = 2",
        "feed.py": b"x = 1\n\x0c\nold = 2\n",
        "feed_in_front.py": b"x = 1\n\x0cold = 2\n\x0cx = 3\n",
        "cr.py": b"old = 1\rif old:\r    old\r",
        "mixed.py": b"old = 1\r\nx = old\ny = old\rz = 1\n",
    }

    one = report(tmp_path, files, "RenameCommand", arguments={"old": "old", "new": "new"})

    assert texts_of(one) == {path: text.replace(b"old", b"new") for path, text in files.items()}


@pytest.mark.usefixtures("_here")
def test_the_last_line_ends_as_it_did(tmp_path):
    files = {"ended.py": "x = 1\nold\n", "open.py": "x = 1\nold", "neither.py": "x\n"}

    one = report(tmp_path, files, "EndsCommand")

    assert texts_of(one) == {"ended.py": b"x = 1\nnew\n", "open.py": b"x = 1\nnew"}


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    ("target", "text", "reason"),
    [
        ("RemovesCommentsCommand", "# -*- coding: latin-1 -*-\nx = 'é'\n", "broken"),
        ("ReformatsCommand", "if x:\n" + "    a\n" * 40, "reformats"),
        ("FailsCommand", "x = skips\n", "skipped"),
    ],
)
def test_what_cannot_be_made_is_left_alone_with_a_reason(tmp_path, target, text, reason):
    one = report(tmp_path, {"a.py": text.encode("latin-1")}, target)

    assert [finding.reason for finding in one.findings] == [f"it/{reason}"]
    assert not one.files


@pytest.mark.usefixtures("_here")
def test_code_that_does_not_compile_is_never_written(tmp_path):
    one = report(tmp_path, {"a.py": "x = 1\n"}, "BreaksCommand")

    assert not one.files
    assert one.findings[0].level == "manual"


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("per_hunk", [True, False])
def test_a_change_is_a_file_or_a_place(tmp_path, per_hunk):
    named = {"old": "old", "new": "new"}
    text = "old = 1\nx = 2\nprint(old)\n"

    one = report(tmp_path, {"a.py": text}, "RenameCommand", arguments=named, per_hunk=per_hunk)

    assert texts_of(one) == {"a.py": text.replace("old", "new").encode()}
    assert len(one.changes) == (2 if per_hunk else 1)
    assert len(one.findings) == 2
    assert all("nothing of it is proved" in finding.message for finding in one.findings)


def test_only_files_that_it_names_are_passed_on(tmp_path, monkeypatch):
    files = {"in/a.py": "old\n", "out/a.py": "old\n", "in/no.py": "x\n"}
    named = {"arguments": {"old": "old", "new": "new"}, "paths": ("in/",), "triggers": ("old",)}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(HERE))

    one = report(tmp_path, files, "RenameCommand", **named)

    assert texts_of(one) == {"in/a.py": b"new\n"}


@pytest.mark.usefixtures("_here")
def test_comments_that_would_be_lost_are_named(tmp_path):
    one = report(tmp_path, {"a.py": "# one\nx = 1\n# two\n\ny = 2\n"}, "RemovesCommentsCommand")

    (message,) = {finding.message for finding in one.findings}
    assert "the comment # one is lost" in message
    assert "the comment # two is lost" in message


def test_decorated_methods_are_found_where_libcst_finds_them():
    called = []
    for kind in (DecoratedCommand, InheritsCommand, RemoveImportsVisitor):
        for looked_at in (dir, names_of):
            vars(_visitors)["dir"] = looked_at
            command = kind(CodemodContext())
            command.transform_module(cst.parse_module("a\nb\n1\ndef f(): 2\n"))
            called.append(getattr(command, "called", []))
            # What is left out is defined by LibCST for every kind of node, and by nobody else.
            gone = set(dir(command)) - set(names_of(command))
            assert gone
            assert {getattr(kind, name).__module__ for name in gone} == {"libcst._typed_visitor"}

    assert called[0] == called[1] == ["visit a", "visit a", "leave b", "inside 2"]
    assert called[2] == called[3]
    assert "value a" in called[2]
    assert names_of("text") == dir("text")


@pytest.mark.parametrize(
    ("target", "named", "words"),
    [
        ("rename.RenameCommand", {"old_name": "a.b.c", "new_name": "d.e"}, ("c", "e", "b")),
        ("rename.RenameCommand", {"old_name": "c", "new_name": "d:e.f"}, ("c", "f")),
        ("rename.RenameCommand", {"old_name": "a.b", "new_name": "d.e:"}, ("b", "e", "a")),
        ("convert_union_to_or.ConvertUnionToOrCommand", {}, ("Union",)),
        ("noop.NOOPCommand", {}, ()),
    ],
)
def test_files_that_a_command_of_libcst_cannot_change_are_known_by_their_words(
    target, named, words
):
    ready, _ = load(Setup(kind="libcst", target=target, named=tuple(named.items())))

    assert ready.triggers == words
    assert ready.forgetful


def test_nothing_is_known_of_a_later_libcst_and_of_commands_of_others():
    assert words_of("convert_union_to_or.ConvertUnionToOrCommand", {}, "1.9.3") == ("Union",)
    assert words_of("convert_union_to_or.ConvertUnionToOrCommand", {}, "1.10.0") == ()
    assert words_of("mine.Command", {}, "1.9.0") == ()


RENAMED = [
    "import a.b\nprint(a.b.d)\n",
    "import d.e as x\nx()\n",
    "from a.b import c as x\nx()\n",
    "from a import b as x\nx.c()\n",
    "import a.b as x\nx.c()\n",
    "import a\na.b.c()\n",
]


@pytest.mark.parametrize("text", RENAMED)
def test_what_a_rename_changes_holds_one_of_its_words(text):
    named = (("old_name", "a.b.c"), ("new_name", "d.e"))
    ready, command = load(
        Setup(kind="libcst", target="rename.RenameCommand", named=named, files=FILES)
    )

    answer = command.rewritten(Item("a.py", text.encode()))

    assert answer.content != text.encode()
    assert any(word in text for word in ready.triggers)

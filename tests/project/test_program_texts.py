"""What a program's texts are searched for and read is found once, and noted."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.project import Project
from awaken.project.names.file_facts import FactsIndex, facts_of
from awaken.project.source.looked_at import LookedAt, Search, WatchedSnapshot, facts_search
from awaken.project.source.memo import RECORDER
from awaken.project.source.texts.text_search import TextSearch
from awaken.workspace.sources import Snapshot, decode


def snapshot(**texts):
    files = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in texts.items()}
    return Snapshot(files)


# ----------------------------------------------------------------------------------- the search
_WORDS = st.lists(st.text("ab", max_size=3).map(str.encode), min_size=1, max_size=4)


@given(st.lists(st.text("abc", max_size=6).map(str.encode), max_size=4), st.lists(_WORDS))
def test_words_are_found_where_they_are(texts, questions):
    by_path = {f"{number}.py": text for number, text in enumerate(texts)}
    search = TextSearch(by_path, LookedAt())
    for words in questions:
        holding = [path for path, text in by_path.items() if any(one in text for one in words)]
        assert search.files_with(words) == holding


_SOUGHT = st.lists(st.text("abA_(. ", max_size=9).map(str.encode), min_size=1, max_size=4)


@given(st.lists(st.text("abA_(. ä", max_size=30).map(str.encode), max_size=4), _SOUGHT)
def test_the_index_finds_what_a_search_finds(texts, sought):
    by_path = {f"{number}.py": text for number, text in enumerate(texts)}
    search = TextSearch(by_path, LookedAt())
    search.index.make()
    for part in sought:
        assert search.files_with([part]) == [path for path, text in by_path.items() if part in text]


def test_a_long_text_is_searched_as_well(monkeypatch):
    monkeypatch.setattr("awaken.workspace.formats.byte_search._LONG", 3)
    search = TextSearch({"a.py": b"one two", "b.py": b"two"}, LookedAt())
    assert search.files_with([b"one", b"zero"]) == ["a.py"]


def test_only_changed_texts_are_searched_again():
    texts = {"a.py": b"one", "b.py": b"two", "c.py": b"three"}
    earlier = TextSearch(texts, LookedAt())
    earlier.files_with([b"one", b"two"])
    later = TextSearch({"a.py": texts["a.py"], "b.py": b"one", "d.py": b"two"}, LookedAt(), earlier)
    assert later.files_with([b"one"]) == ["a.py", "b.py"]
    assert later.files_with([b"two"]) == ["d.py"]


# ------------------------------------------------------------------------------------ what is noted
def test_a_search_is_noted_and_reads_nothing():
    project = Project(snapshot(a="import x", b="y = 1", c="import xy"), None)
    project.files_with([b"import"])
    assert project.looked_at.searched == {Search("bytes", b"import"): frozenset({"a.py", "c.py"})}
    assert project.looked_at.read == set()


@pytest.mark.parametrize(
    "read",
    [
        lambda project: project.snapshot["a.py"],
        lambda project: project.snapshot.get("a.py"),
    ],
)
def test_what_is_taken_from_a_file_is_noted(read):
    project = Project(snapshot(a="class A: pass", b=""), None)
    read(project)
    assert project.looked_at.read == {"a.py"}


@pytest.mark.parametrize(
    ("ask", "part"),
    [
        (lambda project: project.called_names("a.py"), "called"),
        (lambda project: project.class_facts("a.A"), "class\0A"),
    ],
)
def test_a_fact_of_a_file_is_noted_alone(ask, part):
    """What the file says otherwise does not count."""
    project = Project(snapshot(a="class A: pass", b=""), None)
    ask(project)
    assert facts_search("a.py", *part.split("\0")) in project.looked_at.told
    assert project.looked_at.read == set()


def test_a_file_without_syntax_is_noted():
    project = Project(snapshot(a="class"), None)
    assert project.module("a.py") is None
    assert project.looked_at.read == {"a.py"}


def test_what_is_known_from_an_earlier_project_is_noted_when_it_is_asked_for():
    files = snapshot(a="class A: pass", b="")
    earlier = Project(files, None)
    earlier.called_names("a.py")
    later = Project(files, None, earlier)
    assert later.looked_at.told == {}
    later.called_names("a.py")
    assert {*later.looked_at.told} == {facts_search("a.py", "called")}


def test_heirs_are_searched_for_as_words():
    project = Project(snapshot(a="class A: pass", b="class B(A): pass", c="A()", d=""), None)
    project.all_subclasses("a.A")
    searched = project.looked_at.searched
    assert searched[Search("word", b"A")] == {"a.py", "b.py", "c.py"}
    assert searched[Search("inherited", b"A")] == {"b.py"}


PARTS = """\
from lib import first, second
import lib as other


def f(value):
    return g(value)


def g(value):
    local = value
    return local, first


class A:
    kind = f


print(g)
"""


def seen(ask, text=PARTS):
    """Return what a question about the file notes."""
    project = Project(snapshot(a=text), None)
    module = project.module("a.py")
    with RECORDER.separate_record() as record:
        ask(module)
    return LookedAt.of_record(record)


def read(module, name):
    return next(node for node in module.nodes(ast.Name) if node.id == name)


@pytest.mark.parametrize(
    ("ask", "parts"),
    [
        (lambda module: module.scopes.module.bindings.get("f"), {"bound f"}),
        (lambda module: "unknown" in module.scopes.module.bindings, {"bound unknown"}),
        (lambda module: module.mentions("first"), {"mentions first"}),
        (lambda module: module.function_at(PARTS.index("def g")), {"bound g"}),
        (lambda module: module.scopes.import_stars, {"bound *"}),
    ],
)
def test_a_part_of_a_file_is_noted_alone(ask, parts):
    with RECORDER.without_record():
        expected = {facts_search("a.py", *part.split()) for part in parts}
    assert expected <= {*seen(ask).told}


@pytest.mark.parametrize(
    ("name", "part"), [("g", "bound g"), ("first", "bound first"), ("print", "bound print")]
)
def test_what_a_name_refers_to_is_noted_each_time(name, part):
    module = Project(snapshot(a=PARTS), None).module("a.py")
    node = read(module, name)
    for _ in range(2):
        with RECORDER.separate_record() as record:
            module.scopes.bindings_of(node)
        looked_at = LookedAt.of_record(record)
        assert {*looked_at.told} == {facts_search("a.py", *part.split())}
        assert looked_at.read == set()


def test_a_local_name_needs_no_other_part():
    module = Project(snapshot(a=PARTS), None).module("a.py")
    node = read(module, "local")
    with RECORDER.separate_record() as record:
        module.scopes.bindings_of(node)
    assert LookedAt.of_record(record) == LookedAt()


@pytest.mark.parametrize(
    "ask",
    [
        lambda module: module.source.text,
        lambda module: module.tree.body,
        lambda module: list(module.walk()),
        lambda module: module.nodes(ast.Call),
        lambda module: module.nodes_of(ast.Call),
        lambda module: module.functions,
        lambda module: module.words(),
        lambda module: module.scopes.scopes,
        lambda module: list(module.scopes.module.bindings),
        lambda module: module.scopes.module.reads.get("g"),
        lambda module: module.block_of(module.nodes(ast.FunctionDef)[0]),
        lambda module: module.scopes.is_bound_above("f", module.nodes(ast.ClassDef)[0]),
        lambda module: module.scopes.fresh_name("f"),
    ],
)
def test_what_sees_more_than_parts_reads_the_file(ask):
    assert seen(ask).read == {"a.py"}


@pytest.mark.parametrize(
    ("edit", "is_same"),
    [
        (lambda text: text + "\n\ndef h():\n    return 1\n", True),
        (lambda text: text.replace("return g(value)", "return [g(value)]"), True),
        (lambda text: text.replace("first, second", "first, second, third"), True),
        (lambda text: text.replace("local = value", "local = [value]"), False),
        (lambda text: text + "\ng = None\n", False),
        (lambda text: text.replace("import lib as", "import library as"), True),
        (
            lambda text: text.replace("from lib import first", "from lib import last as first"),
            False,
        ),
        (lambda text: "from star import *\n" + text, False),
    ],
)
def test_a_part_changes_with_the_statements_that_bind_its_name(edit, is_same):
    def ask(module):
        for name in ("first", "g"):
            module.scopes.parts.note(name)

    def answers(text):
        told = seen(ask, text).told
        return [told[facts_search("a.py", "bound", name)] for name in ("first", "g")]

    assert (answers(PARTS) == answers(edit(PARTS))) is is_same


# --------------------------------------------------------------------------------------- the facts
CLASSES = """
from lib import Base, register
import lib.more as more


@register(1)
class Plain(Base): pass


class Dotted(more.Base[int], metaclass=more.Meta): pass


def make(Base):
    class Inner(Base): pass
    class Other(Plain): pass
    return Inner


class Twice(Unbound, Exception): pass
class Twice(make(1)): pass
"""


def test_facts_from_another_file_of_the_same_text_say_the_same():
    """Facts go by content: the same text at another path has another module name."""
    first = Project(snapshot(a=CLASSES), None)
    names = ["Plain", "Dotted", "make.<locals>.Inner", "make.<locals>.Other", "Twice"]
    expected = {name: first.class_facts(f"a.{name}") for name in names}
    assert expected["Plain"].bases == ("lib.Base",)
    assert expected["Plain"].decorators == ("lib.register",)
    assert expected["Dotted"].bases == ("lib.more.Base",)
    assert expected["Dotted"].keywords == (("metaclass", "more.Meta"),)
    assert expected["make.<locals>.Inner"].bases == (None,)
    assert expected["make.<locals>.Other"].bases == ("a.Plain",)
    assert (expected["Twice"].bases, expected["Twice"].unique) == ((None,), False)
    moved = Project(snapshot(b=CLASSES), None, first)
    for name, facts in expected.items():
        other = moved.class_facts(f"b.{name}")
        assert other.qualified == f"b.{name}"
        assert other.span == facts.span
        assert len(other.bases) == len(facts.bases)


def test_known_facts_need_no_tree():
    files = snapshot(a=CLASSES)
    module = Project(files, None).module("a.py")
    known = {"names": {CLASSES.encode(): facts_of(module, "names")}}

    def load(path):
        raise AssertionError(path)

    facts = FactsIndex(WatchedSnapshot(files, LookedAt()), load, load, known)
    table, expected = facts.table("a.py"), facts_of(module, "names").table
    assert {name: table.targets(name) for name in expected.names} == expected.names
    assert facts.table("nowhere.py") is None


def test_renamings_count_in_every_scope():
    text = "from a import b as c\nd = a.b\ndef f():\n    from x import b as e\n    g = h\n"
    project = Project(snapshot(m=text), None)
    assert project.other_names("m.py") == {"b": ("c", "d", "e"), "h": ("g",)}

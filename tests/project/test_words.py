"""Words in files are found as a regular expression would find them, only faster."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.project.source.looked_at import LookedAt, WatchedSnapshot, facts_search
from awaken.project.source.texts.text_search import ProgramTexts
from awaken.project.source.words import Words
from awaken.workspace.sources import Snapshot, decode


def watched(**texts):
    """Return the files ``name.suffix`` given as ``name_suffix``, watched."""
    named = {name.replace("_", "."): text for name, text in texts.items()}
    files = {path: decode(path, text) for path, text in named.items()}
    return WatchedSnapshot(Snapshot(files), LookedAt())


_TEXT = st.text("ab_ .1\n", max_size=14)


@given(st.text("ab", min_size=1, max_size=3), _TEXT)
def test_a_word_stands_by_itself(word, text):
    content = f"+ {text}".encode()  # no comment, for those of settings do not count
    files = watched(a_py=content, a_toml=content)
    found = re.search(rf"(?<!\w){word}(?!\w)", content.decode())

    words = Words(files, lambda _: ["a.py"])
    place = words.place_outside_python(word)

    assert words.files_with(word) == (["a.py"] if found else [])
    assert (place and (place.span.start, place.span.end)) == (found and found.span())


def found_in(way, text):
    """Whether a file with this text is found for the word ``Base``."""
    words = Words(watched(a_py=text.encode()), lambda _: ["a.py"])
    ask = getattr(words, way, None)
    return bool(words.files_of_kind("Base", way) if ask is None else ask("Base"))


@pytest.mark.parametrize(
    "text",
    [
        "class A(Base): pass",
        "class A ( m.Base , x=1 ) : pass",
        "class A(\n    Other,  # first\n    Base,\n):\n    pass",
        "if x:\n\tclass A(Base[int]): pass",
        "class A(make(Base)): pass",
        "class A(B if x else Base): pass",
        "class A(Other, key='):', b=Base): pass",
        "class A \\\n(Base): pass",
        "class \\\n A(Base): pass",
        "class A[T: list[int]](Base): pass",
        "class A[T](Base): pass",
        "x = 1\rclass A(Base): pass",
        "class Ä(Base): pass",
        "class A(Other): pass\r\n@d\r\nclass B(Base): pass",
    ],
)
def test_a_class_that_may_inherit_is_found(text):
    assert found_in("inherited", text)


@pytest.mark.parametrize(
    "text",
    [
        "from m import Base\nx: Base = Base()",
        "class A: x: Base",
        "class A(Other):\n    base = (Base)",
        "class A(\n    Other,\n):\n    def f(self, x: Base): ...",
        "class A[T](Other): x = Base",
        "classes(Base)",
        "class A(BaseModel): pass",
        "x = Base.class_(Base)",
    ],
)
def test_a_file_without_such_a_class_is_not_parsed(text):
    assert not found_in("inherited", text)


@pytest.mark.parametrize(
    "text",
    [
        "from m import Base as Root",
        "from m import (\n    Base\n    as Root)",
        "from m import Base \\\n as Root",
        "Root = Base",
        "Root = m.Base  # short",
        "Root: type = (\n    m.Base\n)",
        "Root = Other = Base; x = 1",
        "if (Root := Base): pass",
        "Root = \\\n  Base\r\n",
    ],
)
def test_another_name_is_found(text):
    assert found_in("renamed", text)


@pytest.mark.parametrize(
    "text", ["from m import Base", "x = Base()", "f(Base)", "Base.x = 1", "x = [Base]", "# as Base"]
)
def test_what_gives_no_other_name_is_not_parsed(text):
    assert not found_in("renamed", text)


@pytest.mark.parametrize(
    ("text", "defined"),
    [
        ("class Base: pass", True),
        ("class  Base[T](A): pass", True),
        ("class \\\n\tBase(A): pass", True),
        ("class BaseModel: pass\nBase", False),
        ("class A(Base): pass", False),
        ("def Base(): pass", False),
    ],
)
def test_classes_are_found_by_their_whole_names(text, defined):
    assert found_in("defined_in", text) is defined


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Base()", True),
        ("m.Base (1)", True),
        ("(Base\n)()", True),
        ("Base \\\n()", True),
        ("f(Base)", False),
        ("Base.make()", False),
        ("BaseModel()", False),
    ],
)
def test_calls_are_found(text, called):
    assert found_in("called", text) is called


@pytest.mark.parametrize(
    ("text", "imported"),
    [
        ("import Base", True),
        ("from Base import x", True),
        ("from m.Base.n import x", True),
        ("from m import (\n    x,  # not )\n    Base,\n)", True),
        ("from m \\\n    import x, \\\n    Base", True),
        ("from Base \\\r\n    import x", True),
        ("if x: import m, Base as b", True),
        ("x = 1; from . import Base", True),
        ("import m\nBase()", False),
        ("from m import (x)\nBase()", False),
        ("Base()\nimport m", False),
    ],
)
def test_imports_are_found(text, imported):
    assert found_in("imported_in", text) is imported


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("m.Base", True),
        ("m . Base.make()", True),
        ("(m.\\\n  Base)", True),
        ("(m.  # which\n    Base)", True),
        ("(m\n    .Base)", True),
        ("'{0.Base}'.format(m)", True),
        ("'{0.' r'Base}'.format(m)", True),
        ("Base()", False),
        ("getattr(m, 'Base')", False),
        ("m.BaseModel", False),
        ("f(m., Base)", False),
    ],
)
def test_attributes_are_found(text, read):
    assert found_in("read_in", text) is read


_BASES = st.lists(st.sampled_from(["Base", "m.Base", "Base[T]", "f(Base)", "Other"]), max_size=3)
_SPACE = st.sampled_from(["", " ", "\t", " \\\n "])


@given(_BASES, st.lists(_SPACE, min_size=6, max_size=6))
def test_no_class_is_missed(bases, spaces):
    one, two, three, four, five, six = spaces
    listed = f",{four}".join(bases)
    text = f"if x:\n class {one}A{two}({three}{listed}{five}){six}: pass\n"
    (statement,) = ast.parse(text).body[0].body
    inherits = any("Base" in ast.unparse(base) for base in statement.bases)

    assert found_in("inherited", text) or not inherits


def _texts(files):
    """Return the texts of files by their paths."""
    snapshot = Snapshot({path: decode(path, text.encode()) for path, text in files.items()})
    return ProgramTexts(snapshot, LookedAt())


def test_files_that_import_several_words_are_found():
    files = {
        "a.py": "from shop.users import get\n",
        "b.py": "from shop import get\nusers = 1\n",
        "c.py": "import shop.users\nget()\n",
    }

    assert _texts(files).words.imported_in("shop", "users") == ["a.py", "c.py"]


def test_a_question_about_the_imports_of_one_file_is_noted_for_this_file():
    texts = _texts({"a.py": "from shop import users\n", "b.py": "users = 1\n"})

    answers = [texts.words.imports(path, "users") for path in ("a.py", "b.py")]

    assert answers == [True, False]
    told = texts.files.looked_at.told
    assert told == {
        facts_search("a.py", "imports", "users"): {"a.py": b""},
        facts_search("b.py", "imports", "users"): {},
    }


_WORDS = st.sampled_from(["alpha", "beta", "gamma", "a1_", "ä"])
_FILES = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "c.py"]), st.lists(_WORDS).map("+".join), min_size=1
)


@given(_FILES, _FILES, _WORDS)
def test_the_index_of_words_follows_edits(before, edits, word):
    """A later snapshot takes the index over, and answers as one without an index does."""
    earlier = _texts(before)
    earlier.search.index.make()
    sources = {path: earlier.files.file_to_search(path) for path in before}
    edited = {path: decode(path, edits[path].encode()) for path in before if path in edits}
    later = ProgramTexts(Snapshot({**sources, **edited}), LookedAt(), earlier)

    fresh = _texts({path: edits.get(path, text) for path, text in before.items()})

    assert earlier.words.files_with(word) == _texts(before).words.files_with(word)
    assert later.words.files_with(word) == fresh.words.files_with(word)

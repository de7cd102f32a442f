"""What the bytes of a file tell is never less than what its tree does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from awaken.engine.remembering.evidence import answer
from awaken.project.graph.callers.composed_names import lookups_in
from awaken.project.names.file_facts import FactsIndex
from awaken.project.source.looked_at import LookedAt, WatchedSnapshot, facts_search
from awaken.project.source.modules import Module
from awaken.project.source.replacing import puts_in
from awaken.project.source.trees import last_name
from awaken.project.source.words import may_compose, may_mention, may_set_computed
from awaken.workspace.sources import Snapshot, decode


def module(text: str) -> Module:
    source = decode("m.py", text.encode())
    return Module(source, ast.parse(source.text.decode()), "m")


_PIECES = st.sampled_from(
    [
        *("run", "run", "x", "1", "int", " ", "\n", "\n    ", "\\\n", "# "),
        *("=", "==", ":", ",", "(", ")", "[", "]", "{", "}", ".", "|", "*", "'", '"', "f'", '"""'),
        *(" if ", " else ", " in ", "not ", "def ", "class ", "for ", "match ", "case ", "lambda "),
        *("import ", "from ", " as ", "type ", "global "),
    ]
)


def parsed(pieces: list[str]) -> Module | None:
    """Return the file that pieces make, if it is one."""
    try:
        return module("".join(pieces))
    except (SyntaxError, ValueError):
        return None


@given(st.lists(_PIECES, min_size=1, max_size=9))
def test_bytes_never_miss_a_mention(pieces):
    file = parsed(pieces)

    assert file is None or "run" not in file.words() or may_mention(b"run", file.source.text)


@pytest.mark.parametrize(
    "text",
    [
        "run()",
        "x.run",
        "from m import run",
        "'m.run'",
        "f'{run=}'",
        "f'{run = !r}'",
        "x: run = 1",
        "def f(x: int |\n      run = 1): ...",
        "def f(x:  # why\n      run = 1): ...",
        "x = y if run else z",
        "match run:\n    case 1: ...",
        "'see:run'",
        "'see.\\\nrun'",
        "print run",
    ],
)
def test_a_mention_is_told_from_bytes(text):
    assert may_mention(b"run", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "def run(): ...",
        "async  def  run(): ...",
        "class run: ...",
        "run = 1",
        "x = 1\nrun = 2",
        "f(run=1)",
        "f(x, run=x)",
        "f(\n    x,\n    run=x,\n)",
        "# to run the tests",
        "'they run at night'",
        "runs()",
    ],
)
def test_what_is_no_mention_is_not_parsed(text):
    assert not may_mention(b"run", text.encode())


_NAMES = st.sampled_from(
    [
        *("getattr", "vars", "globals", "__dict__", "x", "name", "'name'", "f'{x}'", "None"),
        *("(", ")", "(x)", "()", ", ", "[", "]", "['name']", ".", ".get", ".items()", "\n"),
        *(" as g", "from m import ", " # vars\n"),
    ]
)


@given(st.lists(_NAMES, min_size=1, max_size=12))
def test_bytes_never_miss_a_composed_name(pieces):
    file = parsed(pieces)

    assert file is None or not lookups_in(file) or may_compose(file.source.text)


@pytest.mark.parametrize(
    ("text", "composes"),
    [
        ("getattr(x, name)", True),
        ("getattr(x, 'a' + name)", True),
        ("getattr(x, 'a' if y else name)", True),
        ("getattr(f(')'), name, 'x')", True),
        ("vars(x)[name]", True),
        ("x.__dict__[name]", True),
        ("from inspect import getmembers as g", True),
        ("getattr(x, 'name')", False),
        ("getattr(x.y(1, 'z')[0], 'name', None)", False),
        ("# env vars\nhasattr(x, '__dict__')", False),
    ],
)
def test_composed_names_are_told_from_bytes(text, composes):
    assert may_compose(text.encode()) is composes


_SETTERS = st.sampled_from(
    [
        *("setattr", "x.__setattr__", "super().__setattr__", "p.object", "vars", "globals"),
        *("self", "x", "x.__dict__", "name", "'name'", "f'{x}'", "v", "(x)", "f(')')", "dict"),
        *("(", ")", "()", ", ", "[", "]", "['name']", " = ", ".update(", "=", "\n", "\n    "),
    ]
)


@given(st.lists(_SETTERS, min_size=1, max_size=14))
@example(["setattr", "(", "self", ", ", "name", ", ", "v", ")"])
@example(["setattr", "(", "x", ", ", "f'{x}'", ", ", "v", ")"])
@example(["vars", "(", "x", ")", "[", "name", "]", " = ", "v"])
@example(["x", " = ", "globals", "()", "\n", "x", "[", "name", "]", " = ", "v"])
def test_bytes_never_miss_a_name_that_is_set_by_a_computed_text(pieces):
    file = parsed(pieces)
    puts = [] if file is None else puts_in(file).get("", [])
    on_self = all(isinstance(put.owner, ast.Name) and put.owner.id == "self" for put in puts)

    assert not puts or may_set_computed(file.source.text) in {b"any", b"self" if on_self else b""}


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("setattr(self, name, v)", b"self"),
        ("object.__setattr__(self, name, v)", b"self"),
        ("setattr(x, name, v)", b"any"),
        ("vars(x).update(v)", b"any"),
        ("space = globals()\nspace['name'] = v", b"any"),
        ("setattr(x, 'name', v)", b""),
        ("super().__setattr__(name, v)", b""),
        ("monkeypatch.setattr('x.name', v)", b""),
        ("make(names=globals())\nreturn vars(x)[name]", b""),
        ("x = object()", b""),
    ],
)
def test_names_that_are_set_by_computed_texts_are_told_from_bytes(text, owner):
    assert may_set_computed(text.encode()) == owner


def test_both_questions_about_one_file_are_kept_as_its_facts():
    """A later run asks the text of the file again, and gets the same answers."""
    source = decode("m.py", b"def run(): ...\ngetattr(x, name)\n")
    files = WatchedSnapshot(Snapshot({"m.py": source}), LookedAt())

    assert not FactsIndex(files, lambda _: None, lambda _: None).may_mention("m.py", "run")

    search = facts_search("m.py", "mentioned", "run")
    assert files.looked_at.told == {search: {}}
    assert not files.looked_at.read
    assert answer(search, source) is None
    assert answer(facts_search("m.py", "composes"), source) == b""


_FILES = [*sorted(Path(ast.__file__).parent.glob("*.py"))[::4]]


@pytest.mark.parametrize(
    "text",
    [
        "from m import a as b\nb()\n",
        "from m import a as b\ndef f(b): b()\n",
        "from m import a as b\ndef f():\n    global b\n    b = 1\nb()\n",
        "def f():\n    from m import a as b\nb()\n",
        "class A:\n    from m import a as b\n    b()\n    def f(self): b()\n",
        "from m import a as __b\nclass A:\n    def f(self): __b()\n",
        "try:\n    from m import a as b\nexcept ImportError:\n    b = None\nb()\n",
        "import m\nb = m.a\nb()\n",
        "import m\nm = m.x\nb = m.a\nb()\n",
        "from m import a as b\n[b for b in x]\n(lambda b: b)\n",
        *(path.read_text(errors="replace") for path in _FILES if b" as " in path.read_bytes()),
    ],
)
def test_renamed_imports_mean_what_scopes_say(text):
    file = module(text)
    renamed = {item: original for item, (_, original) in file._renamed.items()}
    names = [node for node in file.nodes(ast.Name) if isinstance(node.ctx, ast.Load)]

    for node in names:
        bindings = file.scopes.bindings_of(node)
        originals = {renamed[item.node] for item in bindings if item.node in renamed}
        assert last_name(node) == (originals.pop() if len(originals) == 1 else node.id)

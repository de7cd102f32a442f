"""Hunks of whole statements: what they replace, and that the engine takes every one of them."""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

import pytest

from awaken.contract import Change, ChangeId, Level, ReplaceStatements, SiteId
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.passes.statement_hunks import hunks
from awaken.workspace.sources import Snapshot, decode

SOURCES = ["textwrap", "contextlib", "bisect", "copy", "calendar", "sched"]
CASES = {
    "a header takes its whole statement": (
        "a()\nwith x:\n    b()\nc()\n",
        "a()\nwith y:\n    b()\nc()\n",
        ["with y:\n    b()\n"],
    ),
    "a statement of a block alone": (
        "def f():\n    a()\n    b()\n    c()\n",
        "def f():\n    a()\n    d()\n    c()\n",
        ["    d()\n"],
    ),
    "a comment between statements": ("a()\n# x\nb()\n", "a()\n# y\nb()\n", ["# y\n"]),
    "a line within a string": (
        'x = """\na\n"""\ny = 1\n',
        'x = """\nb\n"""\ny = 1\n',
        ['x = """\nb\n"""\n'],
    ),
    "a block around others": (
        "def f():\n    a()\n    b()\n",
        "def f():\n    if x:\n        a()\n    b()\n",
        ["    if x:\n        a()\n"],
    ),
    "a block that takes up what stood behind it": (
        "if x:\n    a()\nb()\n",
        "if x:\n    a()\n    b()\n",
        ["if x:\n    a()\n    b()\n"],
    ),
    "a decorator": (
        "@a\ndef f():\n    pass\n",
        "@b\ndef f():\n    pass\n",
        ["@b\ndef f():\n    pass\n"],
    ),
    "the end of a block and the header of the next one": (
        "x = 1\ntry:\n    a()\nexcept E as e:\n    b()\n",
        "x = 1\ntry:\n    c()\nexcept F as e:\n    b()\n",
        ["try:\n    c()\nexcept F as e:\n    b()\n"],
    ),
    "two cases of a match": (
        "match x:\n    case 1:\n        a()\n    case 2:\n        b()\nc()\n",
        "match x:\n    case 1:\n        d()\n    case 3:\n        b()\nc()\n",
        ["match x:\n    case 1:\n        d()\n    case 3:\n        b()\n"],
    ),
    "an else": ("if x:\n    a()\nc()\n", "if x:\n    a()\nelse:\n    b()\nc()\n", None),
    "the end of the last line": ("a()\nb()", "a()\nc()", ["c()"]),
    "all of a file": ("a()\n", "", [""]),
    "nothing": ("a()\n", "a()\n", []),
}


def written(before: bytes, found) -> bytes:
    """Return the text with hunks in place, made by the engine, which must take all of them."""
    path, site = "it.py", SiteId("s")
    edits = [
        ReplaceStatements(path=path, anchor=one.span, text=one.text, site=site) for one in found
    ]
    change = Change(
        id=ChangeId("c"), rule="r", title="", level=Level.UNSAFE, sites=(site,), edits=tuple(edits)
    )
    edited = apply_in_memory(Snapshot({path: decode(path, before)}), [change], {"r": {}})
    assert not edited.problems
    return edited.snapshot[path].text


@pytest.mark.parametrize(("before", "after", "texts"), CASES.values(), ids=CASES)
def test_hunks_are_whole_statements(before, after, texts):
    found = hunks(before.encode(), after.encode())

    assert texts is None or [one.text for one in found] == texts
    assert written(before.encode(), found).decode() == after


def changed(text: str, chance: random.Random) -> str:
    """Return a text in which some statements are gone, doubled, in a block, or written anew."""
    lines = text.splitlines(keepends=True)
    nodes = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.stmt)]
    for node in sorted(chance.sample(nodes, 6), key=lambda one: -one.lineno):
        start, end = node.lineno - 1, node.end_lineno
        indent = " " * node.col_offset
        own = lines[start:end]
        match chance.randrange(6):
            case 0:
                lines[start:end] = [f"{indent}pass\n"]
            case 1:
                lines[end:end] = own
            case 2:
                lines[start:end] = [f"{indent}if True:\n", *(f"    {one}" for one in own)]
            case 3:
                lines[start:start] = [f"{indent}# a comment\n"]
            case 4:
                lines[start:end] = [own[0].replace("self", "it"), *own[1:]]
            case _:
                lines[end:end] = ["\n", f"{indent}# another\n", f"{indent}x = (1,\n", "2)\n"]
    return "".join(lines)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.sampled(4)
def test_any_change_is_taken_by_the_engine(name):
    before = Path(sys.modules.get(name, __import__(name)).__file__).read_text("utf-8")
    chance, taken = random.Random(name), 0
    for _ in range(12):
        after = changed(before, chance)
        try:
            ast.parse(after)
        except SyntaxError:
            continue
        taken += 1
        assert written(before.encode(), hunks(before.encode(), after.encode())).decode() == after
    assert taken > 2

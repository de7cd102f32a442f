"""A table of names is written once: two that say the same may disagree after the next change."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awaken

HOME = Path(awaken.__file__).parent
PARTS = ("codemods", "kit", "project")
SMALLEST = 3

TWICE = {
    ("body", "finalbody", "orelse"): "fields of Python's grammar, in the order of the source",
    ("class", "function", "import"): "kinds of bindings, and two questions about them",
    ("annotation", "assignment", "walrus"): "kinds of bindings, in a `match` that mypy reads",
    ("annotation", "assignment", "augmented"): "kinds of bindings, and two questions about them",
    ("compared", "dropped", "formatted", "tested"): "uses of a value, and two questions",
    ("command", "process", "server"): "kinds of entry points, and two questions about them",
    ("close", "commit", "rollback"): "of sessions without an argument; the list is of transactions",
    ("first_or_404", "get_or_404", "one_or_404", "paginate"): "what a rule rewrites, and what is",
    ("max", "min", "sorted"): "forms of a payload, in a `match` that mypy reads",
    ("async", "async-scoped", "scoped", "session"): "roles, in a `match` that mypy reads",
}
"""Tables that code writes twice, or that are a list of a TOML file, and why they stay."""


def test_no_table_of_names_is_written_twice():
    homes: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for path in HOME.rglob("*.py"):
        if path.relative_to(HOME).parts[0] in PARTS:
            for table in tables_of(ast.parse(path.read_text())):
                homes[table].add(path.relative_to(HOME).as_posix())
    for path in (HOME / "knowledge").rglob("*.toml"):
        for table in lists_of(tomllib.loads(path.read_text())):
            if table in homes:
                homes[table].add(path.relative_to(HOME).as_posix())
    twice = {table: sorted(files) for table, files in homes.items() if len(files) > 1}
    assert {table: twice[table] for table in twice.keys() - TWICE.keys()} == {}
    assert TWICE.keys() - twice.keys() == set(), "these are written once, and need no reason"


def test_a_table_is_seen_in_each_form():
    text = 'A = {"b", "a", "c"}\nB = (b"a", b"b", b"c")\nC = {"c": 1, "b": 2, "a": 3}\n'
    text += 'match x:\n    case "a" | "b" | "c":\n        pass\nD: Literal["a", "b", "c"]\n'
    assert list(tables_of(ast.parse(text))) == [("a", "b", "c")] * 4
    rows = {"k": ["c", "a", "b"], "t": {"a": 1, "c": 2, "b": 3}}
    assert list(lists_of(rows)) == [("a", "b", "c")] * 2


def tables_of(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """Yield the tables of a file, sorted; those of annotations are types."""
    types = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        for part in ast.walk(node.slice)
    }
    for node in ast.walk(tree):
        if id(node) not in types:
            yield from as_table(names_in(node))


def names_in(node: ast.AST) -> list[Any]:
    match node:
        case ast.Set(elts=nodes) | ast.Tuple(elts=nodes) | ast.List(elts=nodes):
            return [getattr(item, "value", None) for item in nodes]
        case ast.Dict(keys=keys):
            return [getattr(key, "value", None) for key in keys]
        case ast.MatchOr(patterns=patterns):
            values = [getattr(pattern, "value", None) for pattern in patterns]
            return [getattr(value, "value", None) for value in values]
    return []


def lists_of(table: Any) -> Iterator[tuple[str, ...]]:
    """Yield the lists of names of a TOML file, and the keys of its tables, sorted."""
    match table:
        case dict():
            for value in table.values():
                yield from lists_of(value)
            yield from as_table(list(table))
        case list():
            yield from as_table(table)
            for value in table:
                yield from lists_of(value)


def as_table(names: list[Any]) -> Iterator[tuple[str, ...]]:
    texts = [name.decode("latin-1") if isinstance(name, bytes) else name for name in names]
    if len(texts) >= SMALLEST and all(isinstance(text, str) for text in texts):
        yield tuple(sorted(texts))

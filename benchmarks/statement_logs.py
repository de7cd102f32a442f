"""Compares the SQL statements that two runs of the same tests sent (see statement_log.py).

`Query` and `select()` name the columns of the same statement differently, `user.id AS user_id`
and `user.id`; no program sees these names, because rows are read by position or by column. So
statements are the same if they are equal once such names are taken out; names that a program
gave itself, with `label()` or `AS`, stay. Values that differ between two runs of the *same* code
(times, random identifiers) say nothing about a change: a third run is not held to them. A test
whose statements differ between two runs of the same code cannot be compared and is counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec

COLUMN = re.compile(r"(?P<table>\"?\w+\"?)\.(?P<column>\"?\w+\"?) AS (?P<label>\"?\w+\"?)")
INNER = re.compile(r"\b(anon_\d+)\.(\w+)")


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """One statement: the test that sent it, its text, and the `repr` of each value in it."""

    test: str
    statement: str
    values: list[str]


Log = dict[str, list[Sent]]
"""What each test sent, in order."""


class Difference(NamedTuple):
    """A test that sent something else, and the first pair that differs; empty for no statement."""

    test: str
    before: str
    after: str


class Comparison(NamedTuple):
    """What became of the tests that sent anything, by name: each is in exactly one of the four."""

    identical: list[str]
    same_but_names: list[str]
    different: list[Difference]
    unstable: list[str]


def read_log(path: Path) -> Log:
    """Read what the plugin wrote."""
    log: Log = defaultdict(list)
    for line in path.read_bytes().splitlines():
        sent = msgspec.json.decode(line, type=Sent)
        log[sent.test].append(sent)
    return log


def compare(before: Log, again: Log, after: Log) -> Comparison:
    """Compare two runs before a change, of the same code, with one after it."""
    comparison = Comparison([], [], [], [])
    for test in sorted({*before, *again, *after}):
        first, second, third = before.get(test, []), again.get(test, []), after.get(test, [])
        if texts(first) != texts(second):
            comparison.unstable.append(test)
        elif found := first_difference(first, second, third):
            comparison.different.append(Difference(test, *found))
        elif texts(first) == texts(third):
            comparison.identical.append(test)
        else:
            comparison.same_but_names.append(test)
    return comparison


def texts(sent: list[Sent]) -> list[str]:
    """Return the statements without their values."""
    return [one.statement for one in sent]


def first_difference(
    before: list[Sent], again: list[Sent], after: list[Sent]
) -> tuple[str, str] | None:
    """Return the first statements that differ, None where none do."""
    for one, other, new in zip(before, again, after, strict=False):
        if plain(one.statement) != plain(new.statement) or not are_same_values(one, other, new):
            return shown(one), shown(new)
    if len(before) == len(after):
        return None
    shorter = min(len(before), len(after))
    left, right = ("".join(map(shown, log[shorter : shorter + 1])) for log in (before, after))
    return left, right


def are_same_values(one: Sent, other: Sent, new: Sent) -> bool:
    """Whether the new values equal the old ones, but for those that never stay the same."""
    if len(one.values) != len(new.values):
        return False
    if len(one.values) != len(other.values):
        return True
    triples = zip(one.values, other.values, new.values, strict=True)
    return all(old != old_again or old == now for old, old_again, now in triples)


def shown(sent: Sent) -> str:
    """Return a statement and its values on one line."""
    return " ".join(f"{sent.statement} {sent.values}".split())


def plain(statement: str) -> str:
    """Return a statement without the names that SQLAlchemy gives to columns."""
    columns: dict[str, str] = {}

    def without(match: re.Match[str]) -> str:
        table, column, label = (match[group].strip('"') for group in ("table", "column", "label"))
        if not re.fullmatch(rf"({re.escape(table)}_)?{re.escape(column)}(_\d+)?", label):
            return match[0]
        columns[label] = column
        return match[0][: match.start("label") - match.start() - len(" AS ")]

    named = COLUMN.sub(without, statement)
    return INNER.sub(lambda match: f"{match[1]}.{columns.get(match[2], match[2])}", named)

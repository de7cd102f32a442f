"""Compares the SQL statements that two runs of the same tests sent (see statement_log.py).

`Query` and `select()` name the columns of the same statement differently, `user.id AS user_id`
and `user.id`; no program sees these names, because rows are read by position or by column. So
statements are the same if they are equal once such names are taken out; names that a program
gave itself, with `label()` or `AS`, stay. Values that differ between two runs of the *same* code
(times, random identifiers) say nothing about a change: a third run is not held to them. A test
whose statements differ between two runs of the same code cannot be compared and is counted.

`Query.count()` counts the rows of a subquery, `select(func.count())` those of the table itself
where that is the same. Such a count is no equal statement: it is a kind of its own, told by its
text alone, for the FROM and WHERE must be those of the subquery word for word.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

COLUMN = re.compile(r"(?P<table>\"?\w+\"?)\.(?P<column>\"?\w+\"?) AS (?P<label>\"?\w+\"?)")
INNER = re.compile(r"\b(anon_\d+)\.(\w+)")
COUNT = re.compile(
    r"SELECT count\(\*\) AS count_1 FROM"
    r" \(SELECT (?!DISTINCT)[^()]*? FROM (?P<rest>.*?)( ORDER BY [^()]*)?\) AS anon_1"
)
SHORT_COUNT = re.compile(r"SELECT count\(\*\) AS count_1 FROM (?P<rest>.*)")
NOT_SHORTENED = re.compile(r"\b(GROUP BY|HAVING|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT|FOR UPDATE)\b")
"""What changes a count when it is taken out of the subquery."""


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


Kind = Literal["identical", "same but names", "shorter count", "different"]
"""What one statement is beside the one that was sent in its place before."""


class Comparison(NamedTuple):
    """What became of the tests that sent anything, by name: each is in exactly one of the five."""

    identical: list[str]
    same_but_names: list[str]
    shorter_counts: list[str]
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
    comparison = Comparison([], [], [], [], [])
    for test in sorted({*before, *again, *after}):
        first, second, third = before.get(test, []), again.get(test, []), after.get(test, [])
        if texts(first) != texts(second):
            comparison.unstable.append(test)
        elif found := first_difference(first, second, third):
            comparison.different.append(Difference(test, *found))
        else:
            found_kinds = set(kinds(first, second, third))
            if "shorter count" in found_kinds:
                comparison.shorter_counts.append(test)
            elif "same but names" in found_kinds:
                comparison.same_but_names.append(test)
            else:
                comparison.identical.append(test)
    return comparison


def tally(before: Log, again: Log, after: Log) -> Counter[Kind]:
    """Count the statements of the comparable tests by what they are; one too many is different."""
    counted: Counter[Kind] = Counter()
    for test in {*before, *again, *after}:
        first, second, third = before.get(test, []), again.get(test, []), after.get(test, [])
        if texts(first) == texts(second):
            counted.update(kinds(first, second, third))
            counted["different"] += abs(len(first) - len(third))
    return counted


def kinds(before: list[Sent], again: list[Sent], after: list[Sent]) -> Iterator[Kind]:
    """Yield what each statement is, as far as there are as many of them."""
    for one, other, new in zip(before, again, after, strict=False):
        yield kind(one, other, new)


def kind(one: Sent, other: Sent, new: Sent) -> Kind:
    """Return what `new` is beside `one` and `other`, of two runs before the change."""
    if not are_same_values(one, other, new):
        return "different"
    if one.statement == new.statement:
        return "identical"
    if plain(one.statement) == plain(new.statement):
        return "same but names"
    return "shorter count" if is_shorter_count(one.statement, new.statement) else "different"


def is_shorter_count(long: str, short: str) -> bool:
    """Whether both count the rows of the same FROM and WHERE, the first those of a subquery."""
    before = COUNT.fullmatch(" ".join(long.split()))
    after = SHORT_COUNT.fullmatch(" ".join(short.split()))
    if before is None or after is None or NOT_SHORTENED.search(after["rest"]):
        return False
    return before["rest"] == after["rest"]


def texts(sent: list[Sent]) -> list[str]:
    """Return the statements without their values."""
    return [one.statement for one in sent]


def first_difference(
    before: list[Sent], again: list[Sent], after: list[Sent]
) -> tuple[str, str] | None:
    """Return the first statements that differ, None where none do."""
    for one, other, new in zip(before, again, after, strict=False):
        if kind(one, other, new) == "different":
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
        if not re.fullmatch(rf"({re.escape(table)}_)?{re.escape(column)}(__?\d+)?", label):
            return match[0]
        columns[label] = column
        return match[0][: match.start("label") - match.start() - len(" AS ")]

    named = COLUMN.sub(without, statement)
    return INNER.sub(lambda match: f"{match[1]}.{columns.get(match[2], match[2])}", named)

"""Differences between two runs of the tests: results, and SQL statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from itertools import groupby

from msgspec import Struct

from awaken.verifying.suites import ObservedTest, SuiteRun


class Sql(StrEnum):
    """How the statements of a test after the changes compare to those before."""

    SAME = "same"
    COLUMNS = "same but for names of columns"
    FEWER = "fewer"
    ORDER = "in another order"
    MORE = "more"
    DIFFERENT = "different"


class Difference(Struct, frozen=True):
    """Outcomes of one test before and after; ``sql`` compares statements where both passed."""

    before: ObservedTest
    after: ObservedTest | None
    sql: Sql = Sql.SAME

    @property
    def is_failure(self) -> bool:
        """Whether the result is another one, not only the statements."""
        return self.after is None or self.before.result != self.after.result


def compare(
    before: SuiteRun, after: SuiteRun, only: Collection[str] | None = None
) -> list[Difference]:
    """Return the tests that did not do the same, in the order in which they ran before.

    ``only`` names those that ran after, None for all.
    """
    differences = []
    for name, test in before.tests.items():
        if only is not None and name not in only:
            continue
        then = after.tests.get(name)
        sql = Sql.SAME if then is None else compare_statements(test, then)
        difference = Difference(test, then, sql)
        if difference.is_failure or sql is not Sql.SAME:
            differences.append(difference)
    return differences


def compare_statements(before: ObservedTest, after: ObservedTest) -> Sql:
    """Return how the statements of a test compare; those of one that failed say nothing."""
    if before.result != after.result or before.outcome in {"failed", "error"}:
        return Sql.SAME
    first, then = _in_order(before), _in_order(after)
    if first == then:
        return Sql.SAME if before.count == after.count else _by_number(before.count, after.count)
    plain, plain_then = [_plain(name) for name in first], [_plain(name) for name in then]
    if plain == plain_then:
        return Sql.COLUMNS
    counted, counted_then = Counter(plain), Counter(plain_then)
    if counted == counted_then:
        return Sql.ORDER
    if counted_then <= counted:
        return Sql.FEWER
    return Sql.MORE if counted <= counted_then else Sql.DIFFERENT


_BY_CHANCE = ("INSERT ", "CREATE INDEX ", "CREATE UNIQUE INDEX ")


def _in_order(test: ObservedTest) -> list[str]:
    """Return the statements of a test; INSERTs and indexes that follow each other are sorted.

    SQLAlchemy orders those of unrelated tables, and the indexes of one table, by chance.
    """
    texts = (" ".join(statement.text.split()) for statement in test.statements)
    return [
        text
        for is_by_chance, some in groupby(texts, lambda text: text.startswith(_BY_CHANCE))
        for text in (sorted(some) if is_by_chance else some)
    ]


def _by_number(before: int, after: int) -> Sql:
    return Sql.FEWER if after < before else Sql.MORE


_LABEL = re.compile(r"\s+AS\s+\"?\w+\"?", re.IGNORECASE)
_ALIAS = re.compile(r"\b(?:anon|\w+?)_\d+\b")
_MARK = re.compile(r"\$\d+(?:::\w+)?|%\(\w+\)s(?:::\w+)?|%s|:\w+")


# `query.count()` counts the rows of the statement, `select(func.count())` those of its tables.
_NO = r"(?:(?!\b(?:SELECT|LIMIT|GROUP|DISTINCT)\b).)*"
_COUNTED = re.compile(
    rf"SELECT count\((?:\*|\?)\) FROM \(SELECT {_NO}? FROM ({_NO})\)$",  # noqa: S608  nobody executes it
    re.IGNORECASE,
)
_OF_SUBQUERY = re.compile(r"\bx\.\w+")
_COUNT = re.compile(r"SELECT count\((?:\*|\?|[\w.]+)\) FROM (.*)$", re.IGNORECASE)


def _plain(statement: str) -> str:
    """Return a statement without the names that it gives to columns and parameters.

    A statement that counts the rows of another one is as one that counts those of its tables.
    """
    plain = _ALIAS.sub("x", _LABEL.sub("", _MARK.sub("?", statement)))
    # A query labels the columns of a subquery by their tables.
    plain = _OF_SUBQUERY.sub("x.column", plain)
    return _COUNT.sub(r"SELECT count FROM \1", _COUNTED.sub(r"SELECT count(*) FROM \1", plain))

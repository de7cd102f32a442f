"""Runs that prove something: what failed in them, what differs, and why a run proves nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from itertools import groupby

from msgspec import Struct, structs

from awaken.contract import UserError
from awaken.verifying.suites import ObservedTest, SuiteRun

_ERROR = re.compile(r"\bERROR\b|\berror: |Error\b")
"""In a line that pytest, a program or a traceback writes about its end."""


RED = {"failed", "error"}
"""Outcomes of a test that fails."""


_MANY = 5
"""Tests that fail together without any change: not each of them is flaky, something is gone."""


_NAMED = 3
"""Tests and requests that are named for a change; beyond, their number."""


class RedBeforeError(UserError):
    """The tests fail before the changes, so that they prove nothing."""


class NoTestsError(UserError):
    """The command ran no test; ``why`` says so without what to do next."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; name a command that does after --, such as `-- pytest tests`")
        self.why = why


def why_it_failed(one: Difference, after: SuiteRun) -> str:
    """Return what a test failed by; the last words of the run where it did not even begin."""
    if one.after is not None:
        return one.after.result if one.is_failure else f"SQL is {one.sql.value}"
    if after.exit_code is None:
        return "it did not end"
    lines = [line.strip() for line in after.output.splitlines() if _ERROR.search(line)]
    return lines[-1] if lines else "it did not run"


def tests_in_words(number: int) -> str:
    """Return a number of tests as text."""
    return f"{number:,} test{'' if number == 1 else 's'}"


def is_ended(one: Difference) -> bool:
    """Whether the test was ended after the changes."""
    return one.after is not None and one.after.ended


def _no_test_passes(run: SuiteRun) -> UserError:
    errors = Counter(test.error for test in run.tests.values() if test.error)
    common = f"; most fail by {errors.most_common(1)[0][0]}" if errors else ""
    return RedBeforeError(
        f"no test passes before the changes, so the tests prove nothing{common}; provide "
        "what they need, such as a database server, and run this again"
    )


def as_one_test(run: SuiteRun) -> SuiteRun:
    """Return a run that pytest did not observe as one test of its own, by its exit code."""
    outcome = "failed" if run.exit_code else "passed"
    if run.exit_code is None:
        test = ObservedTest("the command", "failed", "it did not end", ended=True)
    else:
        test = ObservedTest("the command", outcome, f"exit code {run.exit_code}")
    return structs.replace(run, tests={test.name: test}, observed=False)


def failing(names: Iterable[str], run: SuiteRun) -> list[str]:
    """Return those of the tests that fail in ``run``, or do not run at all."""
    return [name for name in names if name not in run.tests or run.tests[name].outcome in RED]


def require_again(passed: Sequence[str], first: SuiteRun) -> None:
    """Raise UserError where what passed before fails now without the changes, as a whole."""
    if not first.tests:
        raise UserError(
            f"no test ran a second time, so nothing is compared{_last_line(first)}; "
            "name a command that runs the same tests each time"
        )
    if len(passed) >= _MANY and len(failing(passed, first)) == len(passed):
        errors = Counter(test.error for test in first.tests.values() if test.error)
        common = f" ({errors.most_common(1)[0][0]})" if errors else ""
        raise UserError(
            f"{tests_in_words(len(passed))} that passed fail now without the changes too{common}; "
            "see whether a server that they need is down"
        )


def named_text(names: Sequence[str]) -> str:
    """Return the first names, and the number of the others."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def require_tests(run: SuiteRun, directory: str) -> SuiteRun:
    """Return the run before the changes, as one test where pytest observed none.

    Raises UserError where it proves nothing, or was ended.
    """
    ended = [test.name for test in run.tests.values() if test.ended]
    if ended and run.exit_code is None:
        raise UserError(
            f"{named_text(ended)} did not end within {run.seconds:.0f} s before the changes; "
            f"leave it out by `-- pytest --deselect {ended[0]}`"
        )
    if any(test.outcome not in {"skipped", *RED} for test in run.tests.values()):
        return run
    if any(test.outcome in RED for test in run.tests.values()):
        raise _no_test_passes(run)
    if run.exit_code is None:
        raise UserError(f"the tests did not end within {run.seconds:.0f} s")
    if not run.observed and "No module named 'awaken_observer'" in run.output:
        raise UserError(
            "awaken sees the tests by PYTHONPATH, which pytest did not get; run it without -I or -E"
        )
    if not run.observed and run.output.strip():
        if run.exit_code:
            raise RedBeforeError(
                f"the command fails before the changes (exit code {run.exit_code}), so it proves "
                f"nothing{_last_line(run)}; name one that passes after --"
            )
        return as_one_test(run)
    where = "" if directory in {"", "."} else f" in {directory}"
    raise NoTestsError(
        f"the command ran no test by pytest{where}, so it proves nothing{_last_line(run)}"
    )


def _last_line(run: SuiteRun) -> str:
    """Return in brackets what a run said last: its error, for pytest adds how much it did."""
    lines = [line.strip(" =") for line in run.output.splitlines() if line.strip(" =")]
    errors = [line for line in lines if _ERROR.search(line)]
    return f" ({(errors or lines)[-1]})" if lines else ""


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

"""Runs that prove something: what failed in them, and why a run proves nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import structs

from awaken.contract import UserError
from awaken.verifying.compared_runs import Difference
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

"""A process for each side of a case whose application has tests of its own.

They are forked from one that has imported the libraries, which takes longer than most suites run.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

import msgspec

from awaken.testing.cases import Case, Suite
from awaken.testing.running import CaseResult, require, write_project
from awaken.testing.suites.pytest_runs import PRINTED, TESTS, SuiteRun, run_pytest

__tracebackhide__ = True  # as in running

_PRELOADED = "awaken.testing.suites.preloaded"
_SECONDS = 60
"""Suites take a second. One that waits for a lock for ever is ended, and fails."""
_NOTHING_IS_FORGOTTEN = (
    "-Werror::RuntimeWarning",
    # Errors in a destructor, such as a forgotten coroutine, fail no test otherwise.
    "-Werror::pytest.PytestUnraisableExceptionWarning",
)


def assert_same_suite(result: CaseResult) -> None:
    """Assert that the application's tests pass before and after, and are the same ones."""
    case = result.case
    suite = case.settings.suite
    if suite is None:
        raise TypeError(f"{case.identifier} has no suite")
    before = run_suite(case, case.before)
    _require_passed(before, "before")
    _require_named(before, suite)
    if result.files == case.before:
        return
    after = run_suite(case, result.files)
    _require_passed(after, "after")
    lost = sorted(before.passed_tests - after.passed_tests)
    require(not lost, f"the tests {lost} are no more there\n{after.printed}")
    more = sorted(after.passed_tests - before.passed_tests)
    require(not more, f"the tests {more} were not there before")


def run_suite(case: Case, files: Mapping[str, bytes]) -> SuiteRun:
    """Run the tests of one side of ``case``, in a process and a directory of their own."""
    suite = case.settings.suite or Suite()
    with tempfile.TemporaryDirectory(prefix="awaken-suite-") as directory:
        root, path = Path(directory).resolve() / "application", Path(directory).resolve() / "found"
        root.mkdir()
        path.mkdir()
        write_project(root, files)
        process = _context().Process(
            target=run_pytest, args=(root, path, (*_NOTHING_IS_FORGOTTEN, *suite.arguments))
        )
        process.start()
        process.join(_SECONDS)
        ended = not process.is_alive()
        process.kill()
        process.join()
        process.close()
        printed = (path / PRINTED).read_text("utf-8") if (path / PRINTED).is_file() else ""
        tests = path / TESTS
        require(ended and tests.is_file(), f"the suite did not end by itself\n{printed}")
        return SuiteRun(msgspec.json.decode(tests.read_bytes(), type=dict[str, str]), printed)


@cache
def _context() -> ForkServerContext | SpawnContext:
    """Return how processes are started: forked if possible, else spawned."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    return context


def _require_passed(run: SuiteRun, when: str) -> None:
    others = {name: outcome for name, outcome in run.tests.items() if outcome != "passed"}
    require(not others, f"{when}, tests do not pass: {others}\n{run.printed}")
    require(run.tests, f"{when}, there are no tests\n{run.printed}")


def _require_named(run: SuiteRun, suite: Suite) -> None:
    missing = [
        wanted
        for wanted in suite.tests
        if not any(fnmatchcase(name, wanted) for name in run.passed_tests)
    ]
    require(not missing, f"`suite` names the tests {missing}, which are not there")

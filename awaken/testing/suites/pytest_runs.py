"""One run of an application's own tests, in the process that is there for it alone.

pytest is imported here, and only on use.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    import pytest

PLUGINS = ("anyio.pytest_plugin", "pytest_asyncio.plugin")
"""The plugins that run tests which are coroutine functions; others only cost time."""
PRINTED = "printed.txt"
TESTS = "tests.json"


class SuiteRun(Struct, frozen=True):
    """The result of a run: the outcome of each test by its id, and its output.

    The outcome is the word of pytest, or the stage in which a test failed: "passed", "skipped",
    "setup", "call" or "teardown".
    """

    tests: dict[str, str]
    printed: str = ""

    @property
    def passed_tests(self) -> frozenset[str]:
        """The ids of the tests that passed."""
        return frozenset(name for name, outcome in self.tests.items() if outcome == "passed")


class _Outcomes:
    """A plugin of pytest that remembers how each test ended."""

    def __init__(self) -> None:
        self.tests: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how a stage of a test ended, once one of them did not pass."""
        if report.passed:
            self.tests.setdefault(report.nodeid, "passed")
        elif self.tests.get(report.nodeid, "passed") == "passed":
            self.tests[report.nodeid] = "skipped" if report.skipped else report.when or "call"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be read as one test that failed."""
        if not report.passed:
            self.tests[report.nodeid] = "skipped" if report.skipped else "collect"


def run_pytest(root: Path, found: Path, arguments: tuple[str, ...]) -> None:
    """Run the tests below ``root`` and leave what they came to in the directory ``found``."""
    import pytest  # noqa: PLC0415

    with (
        (found / PRINTED).open("w", encoding="utf-8") as printed,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        _stand_in(root)
        outcomes = _Outcomes()
        given = [f"-p{name}" for name in PLUGINS]
        pytest.main([*given, "-pno:cacheprovider", "--tb=short", *arguments], [outcomes])
    (found / TESTS).write_bytes(msgspec.json.encode(outcomes.tests))


def _stand_in(root: Path) -> None:
    """Make this process one that was started in ``root`` by ``python -m pytest``."""
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.chdir(root)
    sys.path.insert(0, str(root))
    sys.argv = ["pytest"]
    sys.dont_write_bytecode = True

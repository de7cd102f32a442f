"""A pytest plugin: tells coverage which test is running, so that a line knows its tests.

Runs inside the measured program's environment (`-p coverage_contexts`), not in awaken's.
"""

from __future__ import annotations

from collections.abc import Generator

import coverage
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give everything that one test executes, its fixtures included, the test's name."""
    current = coverage.Coverage.current()
    if current is None:
        raise RuntimeError("start it with `coverage run --module pytest`")
    current.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        current.switch_context("")

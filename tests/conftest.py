"""The surroundings of every test: directories, environment and signals of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import costs
import pytest
from hypothesis import settings
from surroundings import CLEARED, accepted_in

settings.register_profile("usual", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=120, deadline=None)
settings.load_profile(os.environ.get("AWAKEN_HYPOTHESIS", "usual"))

HAS_BROWSER = find_spec("playwright") is not None and shutil.which("chromium") is not None
collect_ignore = [] if HAS_BROWSER else ["preview/test_page_in_browser.py"]

# What a shell starts in the background, or ``nohup`` starts, ignores some of the signals that end a
# program, and so would all that is started from here.
for ignored in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Many images forbid byte code: every process that a test starts would compile awaken anew.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.hookimpl(trylast=True)  # pytest itself has read what it prints by
def pytest_configure():
    """Clear the environment before the modules of tests import what reads it."""
    for name in list(os.environ):
        if name in CLEARED or name.startswith("GIT_"):
            del os.environ[name]
    os.environ["NO_COLOR"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Note what the test costs."""
    before = costs.seconds_used()
    try:
        return (yield)
    finally:
        item.user_properties.append(("cpu", costs.seconds_used() - before))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Say below each failure how to run that test alone."""
    report = yield
    if report.failed:
        command = f"uv run pytest -n0 -m '' {shlex.quote(item.nodeid)}"
        report.sections.append(("to run only this", command))
    return report


def pytest_addoption(parser):
    parser.addoption(
        "--accept",
        action="store_true",
        help="write what fixtures expect as it is now, and show what changed",
    )
    parser.addoption(
        "--costs",
        action="store_true",
        help="measure all quick tests, costly ones included, and write what they cost",
    )
    parser.addoption(
        "--fourth",
        type=int,
        choices=range(4),
        help="of costly tests and those with parameters, run this fourth (0 to 3), by their names",
    )


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_itemcollected(item):
    """Mark as slow what is ``sampled(n)`` or costly, but for one of ``n``, told by its name."""
    sampled = item.get_closest_marker("sampled")
    share = sampled.args[0] if sampled else 1
    if not (item.config.getoption("--costs") or case_of(item)):
        share *= costs.share_of(item.nodeid)
    if crc32(item.nodeid.encode()) % share:
        item.add_marker(pytest.mark.slow)


def pytest_collection_modifyitems(config, items):
    """Leave out what another fourth runs; a new test moves no other one."""
    keep_cases_together(items)
    fourth = config.getoption("--fourth")
    if fourth is None:
        return
    others = [
        item
        for item in items
        if (hasattr(item, "callspec") or costs.share_of(item.nodeid) > 1)
        and crc32(item.nodeid.encode()) % 4 != fourth
    ]
    config.hook.pytest_deselected(items=others)
    left_out = set(others)
    items[:] = [item for item in items if item not in left_out]


def keep_cases_together(items):
    """Put the tests of each case next to each other, so that one worker plans it, and once."""
    of_cases = [item for item in items if case_of(item)]
    of_cases.sort(key=lambda item: crc32(case_of(item).encode()))
    items[:] = [*(item for item in items if not case_of(item)), *of_cases]


def case_of(item):
    """Return the name of the case that a test is about, empty if it is about none."""
    name = item.callspec.params.get("identifier", "") if hasattr(item, "callspec") else ""
    return name if isinstance(name, str) else ""


def pytest_terminal_summary(terminalreporter):
    """Show what was accepted: workers of pytest-xdist cannot print it themselves."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if terminalreporter.config.getoption("--costs"):
        costs.write_costs(reports)
    for accepted in accepted_in(reports):
        terminalreporter.write(accepted)
    if not HAS_BROWSER and terminalreporter.config.getoption("markexpr") in {"slow", ""}:
        terminalreporter.write_line(
            "No browser: tests/preview/test_page_in_browser.py needs Chromium and Playwright"
        )


@pytest.fixture(autouse=True, scope="session")
def _own_user_directories(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "HOME",
            "XDG_CACHE_HOME",
            "XDG_STATE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
        ):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk():
    """What is on the disk survives a power failure, which no test makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield

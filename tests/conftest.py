"""What every test runs under: no test reads or writes the user's own directories."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("usual", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=300, deadline=None)
settings.load_profile(os.environ.get("AWAKEN_HYPOTHESIS", "usual"))

# What a shell starts in the background, or ``nohup`` starts, ignores some of the signals that end a
# program, and so would all that is started from here.
for ignored in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--accept",
        action="store_true",
        help="write what fixtures expect as it is now, and show what changed",
    )


def pytest_terminal_summary(terminalreporter):
    """Show what was accepted: workers of pytest-xdist cannot print it themselves."""
    for report in (one for some in terminalreporter.stats.values() for one in some):
        for name, value in getattr(report, "user_properties", ()):
            if name == "accepted" and value:
                terminalreporter.write(value)


@pytest.fixture(autouse=True, scope="session")
def _own_user_directories(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        patch.delenv("AWAKEN_STATE_DIR", raising=False)  # else it outweighs XDG_STATE_HOME
        patch.delenv("FORCE_COLOR", raising=False)
        patch.setenv("NO_COLOR", "1")
        yield

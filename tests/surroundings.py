"""The surroundings of tests: variables that none sees unless it sets them, and accepted diffs."""

from __future__ import annotations

CLEARED = (
    "AWAKEN_PAGER",
    "AWAKEN_STATE_DIR",
    "CI",
    "COLORTERM",
    "COLUMNS",
    "EDITOR",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LESS",
    "LINES",
    "LV",
    "PAGER",
    "PY_COLORS",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "VISUAL",
    "_AWAKEN_COMPLETE",
)
"""Variables that awaken, Rich or Typer read: a test that is about one sets it."""


def accepted_in(reports):
    """Yield what the reports of tests say was accepted.

    The reports on what surrounds a test have its properties as well, and do not count.
    """
    for report in reports:
        if getattr(report, "when", "") == "call":
            yield from (value for name, value in report.user_properties if name == "accepted")

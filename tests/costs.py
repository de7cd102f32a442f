"""What tests cost, as measured, and which of the costly ones are quick."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from math import ceil
from pathlib import Path

LIMIT = 0.25
"""So many seconds of CPU a test function may take in the quick suite, over all its parameters."""
FILE = Path(__file__).parent / "data" / "costs.toml"
COSTS = tomllib.loads(FILE.read_text("utf-8"))
"""The seconds of CPU of the functions that take more, by their names."""


def share_of(nodeid):
    """Return n, if one in n of the tests of the function of ``nodeid`` is quick."""
    return max(1, ceil(COSTS.get(_function(nodeid), 0) / LIMIT))


def seconds_used():
    """Return the seconds of CPU of this process, and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def write_costs(reports):
    """Write what the functions of ``reports`` cost; those that are about a case have marks."""
    seconds = Counter()
    for report in reports:
        if getattr(report, "when", "") == "call":
            spent = dict(report.user_properties).get("cpu", 0)
            seconds[_function(report.nodeid)] += spent
    lines = [
        f'"{name}" = {spent:.1f}\n' for name, spent in sorted(seconds.items()) if spent > LIMIT
    ]
    FILE.write_text("# Written by `uv run pytest --costs`.\n" + "".join(lines), "utf-8")


def _function(nodeid):
    return nodeid.partition("[")[0]

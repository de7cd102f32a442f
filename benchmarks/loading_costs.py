"""Compare the statements and rows of each test before and after a change of a program.

`python benchmarks/loading_costs.py BEFORE AFTER` takes two files that the pytest plugin
row_counts.py wrote. It prints the totals of the tests that both have, and the tests that send, or
fetch, most more.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tables import table

WORST = 10
"""Tests that are named: enough to look at by hand."""
KINDS = ("statements", "rows")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="statements and rows of tests, before and after")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    arguments = parser.parse_args()
    before, after = (json.loads(path.read_text()) for path in (arguments.before, arguments.after))
    tests = sorted(before.keys() & after.keys() - {""})
    print(f"{len(tests)} tests")
    lines = []
    for kind, name in enumerate(KINDS):
        old, new = (sum(counts[test][kind] for test in tests) for counts in (before, after))
        more = [test for test in tests if after[test][kind] > before[test][kind]]
        less = sum(after[test][kind] < before[test][kind] for test in tests)
        lines.append([name, old, new, f"{new / max(old, 1):.3f}", len(more), less])
    print(table(["", "before", "after", "share", "tests with more", "with less"], lines))
    for kind, name in enumerate(KINDS):
        grown = sorted(tests, key=lambda test: before[test][kind] - after[test][kind])[:WORST]
        for test in grown:
            if after[test][kind] > before[test][kind]:
                print(f"- {name} {before[test][kind]} -> {after[test][kind]}: {test}")


if __name__ == "__main__":
    main()

"""Run the repositories' own tests before the migration, after it, and after `awaken undo`.

Once with safe changes alone and once with `--unsafe-fixes`. Ends with 1 if a run after the
migration differs from the one before. Usage:

    uv run python benchmarks/tests_before_after.py CORPUS [PROGRAM ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from awaken_runs import Awaken
from corpora import PROGRAMS, Program, copy
from suites import Outcome, Suite
from tables import table


def rows_of(program: Program, corpus: Path, place: Path) -> list[tuple[list[object], Outcome]]:
    """Return one row per run of the tests of one program, with its outcome; the first is before."""
    awaken = Awaken(place / "home")
    suite = Suite(program, corpus, copy(program.directory(corpus), place / program.repository))
    before = suite.run()
    rows: list[tuple[list[object], Outcome]] = [
        ([program.name, "before", "", "", before.summary, ""], before)
    ]
    for extra in ([], ["--unsafe-fixes"]):
        options = [*program.target, *extra]
        levels = Counter(f.level for f in awaken.check(suite.copy, options).findings)
        done = awaken.run(["apply", ".", *options], suite.copy)
        after = suite.run()
        sites = ", ".join(f"{count} {level}" for level, count in sorted(levels.items()))
        name = " ".join(["apply", *extra])
        new = ", ".join(sorted(set(after.failed) - set(before.failed))) or "none"
        rows.append(([program.name, name, sites, done.returncode, after.summary, new], after))
        undone = awaken.run(["undo"], suite.copy)
        if undone.returncode != 0 and levels["safe"]:
            sys.exit(f"awaken undo ended with {undone.returncode}:\n{undone.stderr.decode()}")
    restored = suite.run()
    rows.append(([program.name, "undo", "", 0, restored.summary, ""], restored))
    return rows


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="the repositories' own tests before and after")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    arguments = parser.parse_args()
    shown: list[list[object]] = []
    has_changed = False
    for program in PROGRAMS:
        if arguments.programs and program.name not in arguments.programs:
            continue
        with tempfile.TemporaryDirectory() as place:
            rows = rows_of(program, arguments.corpus, Path(place))
        shown += [row for row, _ in rows]
        has_changed |= any(outcome != rows[0][1] for _, outcome in rows)
    columns = ["program", "after", "sites", "exit", "tests", "newly failing"]
    print(table(columns, shown, words=6))
    sys.exit(has_changed)


if __name__ == "__main__":
    main()

"""Run the repositories' own tests before the migration, after it, and after `awaken undo`.

Once with safe changes alone and, where a site is unsafe, once with `--unsafe-fixes`. Every run also
logs the SQL that each test sends, and the logs are compared as statement_logs.py says. Ends with 1
if a run after the migration differs from the one before, or if safe changes alter a statement.
Usage:

    uv run python benchmarks/tests_before_after.py CORPUS [PROGRAM ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from awaken_runs import Awaken
from corpora import PROGRAMS, Program, copy
from statement_logs import Log, compare, read_log, tally
from suites import Outcome, Suite
from tables import table


class Run(NamedTuple):
    """One run of a program's tests: after what, the sites and exit code of that, and what came."""

    after: str
    sites: str
    code: int
    outcome: Outcome
    log: Log


def runs_of(program: Program, corpus: Path, place: Path, logs: Path) -> list[Run]:
    """Return every run of the tests of one program: the first is before, the last after undo.

    The statements of each stay in `logs`.
    """
    awaken = Awaken(place / "home")
    suite = Suite(program, corpus, copy(program.directory(corpus), place / program.repository))
    logs.mkdir(parents=True, exist_ok=True)
    before = Run("before", "", 0, *run_logged(suite, logs / "before.log"))
    if "passed" not in before.outcome.summary:
        sys.exit(f"no test of {program.name} passes as it is: {before.outcome.summary}")
    runs = [before]
    for extra in ([], ["--unsafe-fixes"]):
        options = [*program.target, *extra]
        levels = Counter(f.level for f in awaken.check(suite.copy, options).findings)
        if extra and not levels["unsafe"]:
            continue
        done = awaken.run(["apply", ".", *options], suite.copy)
        sites = ", ".join(f"{count} {level}" for level, count in sorted(levels.items()))
        name = " ".join(["apply", *extra])
        log = logs / f"apply{''.join(extra)}.log"
        runs.append(Run(name, sites, done.returncode, *run_logged(suite, log)))
        undone = awaken.run(["undo"], suite.copy)
        if undone.returncode != 0 and levels["safe"]:
            sys.exit(f"awaken undo ended with {undone.returncode}:\n{undone.stderr.decode()}")
    return [*runs, Run("undo", "", 0, *run_logged(suite, logs / "undo.log"))]


def run_logged(suite: Suite, log: Path) -> tuple[Outcome, Log]:
    """Run the tests and read the statements that they sent, none if pytest did not start."""
    log.unlink(missing_ok=True)
    plugins = ["-p", "seeded", "-p", "statement_log", f"--statement-log={log.absolute()}"]
    outcome = suite.run([], *plugins)
    return outcome, read_log(log) if log.exists() else {}


def row_of(program: Program, run: Run, first: Run, again: Run) -> list[object]:
    """Return one row of the table; `first` and `again` are of the program as it was."""
    new = ", ".join(sorted(set(run.outcome.failed) - set(first.outcome.failed))) or "none"
    row: list[object] = [program.name, run.after, run.sites, run.code, run.outcome.summary, new]
    row.append(sum(map(len, run.log.values())))
    statements = tally(first.log, again.log, run.log)
    row += [statements[kind] for kind in ("shorter count", "different")]
    return [*row, *(len(tests) for tests in compare(first.log, again.log, run.log))]


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="the repositories' own tests before and after")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--logs", type=Path, metavar="DIRECTORY", help="keep the statements here")
    arguments = parser.parse_args()
    shown: list[list[object]] = []
    differences: list[str] = []
    has_changed = False
    for program in PROGRAMS:
        if arguments.programs and program.name not in arguments.programs:
            continue
        with tempfile.TemporaryDirectory() as place:
            logs = (arguments.logs or Path(place) / "logs") / program.name
            runs = runs_of(program, arguments.corpus, Path(place), logs)
        before, *_, undone = runs
        for run in runs:
            compared = compare(before.log, undone.log, run.log)
            shown.append(row_of(program, run, before, undone))
            has_changed |= run.outcome != before.outcome
            has_changed |= run.after == "apply" and bool(compared.different)
            differences += [
                f"- {program.name}, {run.after}: {one.test}\n  - {one.before}\n  - {one.after}"
                for one in compared.different
            ]
    columns = ["program", "after", "sites", "exit", "tests", "newly failing", "statements"]
    logs = ["shorter counts", "different", "tests with the same", "same but names"]
    logs += ["but for shorter counts", "different", "unstable"]
    print(table([*columns, *logs], shown, words=6))
    if differences:
        print("\nThe first statement that differs in each test, before and after:\n")
        print(*differences, sep="\n")
    sys.exit(has_changed)


if __name__ == "__main__":
    main()

"""Time two checkouts of awaken on one program, paired: A B A B.

Both run `awaken check --no-cache` as a user starts it, each with the Python of its own checkout
(`CHECKOUT/.venv`) and a state directory of its own. They are measured in turns, so that a change
in the machine's load meets both; the ratio is taken pair by pair. Usage:

    uv run python benchmarks/two_checkouts.py [--repeats 5] BEFORE AFTER PROGRAM [OPTIONS]

`OPTIONS` are those of `awaken check`, such as `--target sqlalchemy=2.0`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import Command, Timing, timed
from speed import spread
from tables import table


def command(checkout: Path, program: Path, options: list[str], state: Path) -> Command:
    """`awaken check` of a program by one checkout; without more options it uses a cache."""
    executable = str(checkout.absolute() / ".venv" / "bin" / "awaken")
    arguments = [executable, "check", "--output-format", "json", *options, "."]
    environment = {**os.environ, "AWAKEN_STATE_DIR": str(state)}
    # As for users: the first run, which is not measured, leaves byte code to the others.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return Command(checkout.name, arguments, program, environment)


def printed(one: Command) -> dict[str, Any]:
    """Run once, unmeasured; return what it prints, but for the time that it took."""
    done = subprocess.run(
        one.arguments, cwd=one.directory, env=one.environment, capture_output=True, check=False
    )
    if done.returncode > 1:
        sys.exit(f"{one.name} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return timeless(done.stdout)


def timeless(report: bytes) -> dict[str, Any]:
    """Return a report in JSON without the time that it took."""
    document: dict[str, Any] = json.loads(report)
    for root in document["roots"]:
        del root["seconds"]
    return document


def report(before: list[Timing], after: list[Timing]) -> str:
    """Return a table of both sides, and how many times the first one's value the second's is."""
    rows = []
    for name, of in (("CPU, s", lambda one: one.cpu), ("wall, s", lambda one: one.wall)):
        old, new = [of(one) for one in before], [of(one) for one in after]
        ratios = [b / a for a, b in zip(old, new, strict=True)]
        rows.append([name, spread(old, 2), spread(new, 2), spread(ratios, 3)])
    return table(["median (least to most)", "before", "after", "after / before"], rows)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="time two checkouts of awaken, in pairs")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("program", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of awaken check")
    arguments = parser.parse_args()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    options = ["--no-cache", *arguments.options]
    with tempfile.TemporaryDirectory() as home:
        both = [
            command(checkout, arguments.program, options, Path(home) / name)
            for name, checkout in (("a", arguments.before), ("b", arguments.after))
        ]
        first, second = map(printed, both)
        pairs = [[timed(one) for one in both] for _ in range(arguments.repeats)]
    before, after = zip(*pairs, strict=True)
    print(f"{arguments.program.name}: {arguments.repeats} pairs, load before: {load}")
    print(f"what they print is {'the same' if first == second else 'NOT the same'}\n")
    print(report(list(before), list(after)))


if __name__ == "__main__":
    main()

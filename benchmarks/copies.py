"""Measure how the cost of rules grows with a program: one, two and four copies of it.

The copies stand side by side in folders of their own, so their names are the same and mean the
files of their copy: what is found by name is found in every copy. CPU time is user time, without
that of a run that reads nothing; an exponent of 1 is a cost that grows like the code. Usage:

    uv run python benchmarks/copies.py PROGRAM RULE... [--python 3.11] [--target sqlalchemy=2.0]
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tables import table

_COPIES = (1, 2, 4)
_AWAKEN = Path(sys.executable).with_name("awaken")


class Cost(NamedTuple):
    """One run: seconds of user time and megabytes of peak memory."""

    seconds: float
    megabytes: float


def copied(program: Path, home: Path, copies: int) -> Path:
    """Return a folder with so many copies of `program`."""
    folder = home / str(copies)
    for index in range(copies):
        ignored = shutil.ignore_patterns(".git", "__pycache__")
        shutil.copytree(program, folder / f"copy{index}" / program.name, ignore=ignored)
    return folder


def cost_of(folder: Path, rule: str, options: list[str]) -> Cost:
    """Run one rule over a folder."""
    arguments = [_AWAKEN, "check", "--no-cache", "-j1", "--select", rule, *options, "."]
    environment = {**os.environ, "AWAKEN_STATE_DIR": str(folder.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    running = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    message = running.stderr.read() if running.stderr is not None else b""
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode not in {0, 1}:
        sys.exit(f"{rule} ended with {running.returncode}: {message.decode()[-500:]}")
    return Cost(usage.ru_utime, usage.ru_maxrss / 1024)


def row(rule: str, folders: list[Path], empty: Path, options: list[str]) -> list[str]:
    """Return the line of one rule: its costs, and the exponent of each doubling."""
    start = cost_of(empty, rule, options)
    costs = [cost_of(folder, rule, options) for folder in folders]
    own = [max(one.seconds - start.seconds, 0.01) for one in costs]
    exponents = [math.log2(after / before) for before, after in pairwise(own)]
    return [
        rule,
        *(f"{one:.2f}" for one in own),
        *(f"{one.megabytes:.0f}" for one in costs),
        *(f"{one:.2f}" for one in exponents),
    ]


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="measure rules on copies of a program")
    parser.add_argument("program", type=Path)
    parser.add_argument("rules", nargs="+")
    parser.add_argument("--python", default="3.11", help="the version that the program runs on")
    parser.add_argument("--target", action="append", default=[], help="such as sqlalchemy=2.0")
    arguments = parser.parse_args()
    options = ["--target-version", f"py{arguments.python.replace('.', '')}"]
    options += [part for one in arguments.target for part in ("--target", one)]
    columns = ["rule"]
    columns += [f"{unit} of {number}" for unit in ("s", "MB") for number in _COPIES]
    columns += ["exponent 1 to 2", "exponent 2 to 4"]
    with tempfile.TemporaryDirectory() as home:
        empty = Path(home, "empty")
        empty.mkdir()
        (empty / "nothing.py").write_text("")
        folders = [copied(arguments.program, Path(home), number) for number in _COPIES]
        rows = [row(rule, folders, empty, options) for rule in arguments.rules]
    print(table(columns, rows))


if __name__ == "__main__":
    main()

"""Cost of awaken by the size of the program: CPU per 100,000 lines, on forty programs.

    uv run python benchmarks/cost.py PROGRAMS NAME=CHECKOUT [NAME=CHECKOUT] [--only PROGRAM ...]
        [--repeats 1] [--keep DIRECTORY] [--against DIRECTORY]

`PROGRAMS` is a directory with the programs of cost_programs.toml, unpacked as `NAME-VERSION`. One
checkout of awaken is measured by itself; two are measured in turns, A B A B, and what they print is
compared. Each runs with the Python of its own checkout (`CHECKOUT/.venv`), once unmeasured on its
own examples, which leaves byte code. With `--keep` the reports stay, as
`DIRECTORY/NAME/PROGRAM.json`; `--against DIRECTORY/NAME` compares a checkout that is measured by
itself with them. A row is printed as soon as its program is measured.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import Command, Memory, Timing, observed, timed
from tables import row, table
from two_checkouts import command, timeless

from awaken.workspace.discovery import Root, find_files

LIST = Path(__file__).parent / "cost_programs.toml"
LONGEST = 600
"""CPU seconds that one process may take: nobody waits longer for a check."""
UNIT = 100_000
"""Lines that the cost is told for: a program of the size of aiohttp with its tests."""
SIDES = 2
"""Reports that are compared with each other."""
FIGURES = ("wall, s", "CPU, s", "CPU / 100,000 lines, s", "peak, MB", "findings")


@dataclass(frozen=True)
class Program:
    """One entry of cost_programs.toml."""

    name: str
    version: str
    archive: str
    python: str = "py311"
    sqlalchemy: str = "2.0"
    dropped: str = ""

    @property
    def directory(self) -> str:
        """The name of the directory that it is unpacked into."""
        return f"{self.name}-{self.version}"

    @property
    def targets(self) -> list[str]:
        """Awaken's options that name its targets."""
        return ["--target-version", self.python, "--target", f"sqlalchemy={self.sqlalchemy}"]


@dataclass(frozen=True)
class Side:
    """The runs of one checkout on one program, and its report; None if it printed none."""

    runs: list[tuple[Timing, Memory]]
    report: dict[str, Any] | None
    lines: int

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(timing.cpu for timing, _ in self.runs)

    @property
    def cost(self) -> float:
        """CPU seconds for `UNIT` lines; without end for a run that did not come to its own."""
        return math.inf if self.report is None else self.cpu / self.lines * UNIT

    @property
    def peak(self) -> float:
        """The greatest memory of the process tree in megabytes."""
        return max(memory.proportional for _, memory in self.runs)

    @property
    def cells(self) -> list[str]:
        """The figures to show, in the order of `FIGURES`."""
        wall = statistics.median(timing.wall for timing, _ in self.runs)
        figures = [f"{wall:.2f}", f"{self.cpu:.2f}", f"{self.cost:.2f}", f"{self.peak:.0f}"]
        return [*figures, self.found]

    @property
    def found(self) -> str:
        """How many findings there are, or that there is no report."""
        if self.report is None:
            return f"no report, exit {self.runs[0][0].code}"
        diagnostics = len(self.report["diagnostics"])
        return str(len(self.report["findings"])) + (f"; {diagnostics} not done" * bool(diagnostics))


@dataclass(frozen=True)
class Bench:
    """Measures programs with one or two checkouts.

    `reports` is where their reports go, `state` a directory of this run alone.
    """

    programs: Path
    checkouts: dict[str, Path]
    repeats: int
    reports: Path
    state: Path

    def measure(self, program: Program) -> list[Side]:
        """Measure one program with each checkout in turns."""
        commands = [self.command(name, program) for name in self.checkouts]
        rounds = [[observed(one) for one in commands] for _ in range(self.repeats)]
        lines = lines_of(self.programs / program.directory)
        sides = zip(self.checkouts, zip(*rounds, strict=True), strict=True)
        return [Side(list(runs), report(self.file(name, program)), lines) for name, runs in sides]

    def command(self, name: str, program: Program) -> Command:
        """`awaken check` by one checkout, each process ended after `LONGEST` seconds of CPU."""
        file = self.file(name, program)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        options = ["--no-cache", *program.targets, "--output-file", str(file)]
        directory = self.programs / program.directory
        one = command(self.checkouts[name], directory, options, self.state / name)
        return one._replace(arguments=["prlimit", f"--cpu={LONGEST}", *one.arguments])

    def warm_up(self) -> None:
        """Run each checkout on its own examples, unmeasured."""
        for name, checkout in self.checkouts.items():
            timed(command(checkout, checkout / "examples", ["--no-cache"], self.state / name))

    def file(self, name: str, program: Program) -> Path:
        """Where the report of one checkout on one program is written."""
        return self.reports / name / f"{program.name}.json"


def report(file: Path) -> dict[str, Any] | None:
    """Return the report in a file without its time, None if there is none."""
    return timeless(file.read_bytes()) if file.exists() else None


def lines_of(directory: Path) -> int:
    """Count the lines of the files in which awaken looks for sites."""
    files = find_files(Root(directory)).files
    return sum((directory / file).read_bytes().count(b"\n") for file in files)


def compared(reports: Sequence[dict[str, Any] | None]) -> str:
    """Return whether two reports are the same, and if not, how many findings differ."""
    match reports:
        case [_]:
            return ""
        case [None, _] | [_, None]:
            return "not compared"
        case [first, second] if first == second:
            return "same"
    before, after = (
        Counter(json.dumps(one, sort_keys=True) for one in side["findings"]) for side in reports
    )
    return f"NOT same: {(before - after).total()} gone, {(after - before).total()} new"


def listed() -> Iterator[Program]:
    """Yield every program of the list, in its order."""
    for name, entry in tomllib.loads(LIST.read_text()).items():
        yield Program(name, **entry)


def measure_all(bench: Bench, chosen: Sequence[Program], against: Path | None) -> list[list[Side]]:
    """Measure programs and print a row for each; ``against`` holds reports to compare with."""
    sides_named = [f"{one}: {what}" for one in bench.checkouts for what in FIGURES]
    print(table(["program", "lines", *sides_named, "reports"], []))
    bench.warm_up()
    measured = []
    for program in chosen:
        name = f"{program.name} {program.version}"
        if program.dropped:
            print(row([name, program.dropped]))
            continue
        sides = bench.measure(program)
        measured.append(sides)
        figures = [figure for side in sides for figure in side.cells]
        kept = [report(against / f"{program.name}.json")] if against else []
        same = compared([*kept, *(side.report for side in sides)])
        print(row([name, sides[0].lines, *figures, same]), flush=True)
    return measured


def summary(names: Sequence[str], measured: Sequence[Sequence[Side]]) -> str:
    """Return what the goals are set for: percentiles of the cost, and the greatest figures."""
    rows = []
    for name, sides in zip(names, zip(*measured, strict=True), strict=True):
        costs = sorted(side.cost for side in sides)
        ninetieth = costs[math.ceil(0.9 * len(costs)) - 1]
        shown = [statistics.median(costs), ninetieth, costs[-1]]
        peak = max(side.peak for side in sides)
        rows.append([name, len(costs), *(f"{value:.2f}" for value in shown), f"{peak:.0f}"])
    columns = ["checkout", "programs", "median", "90th percentile", "greatest", "greatest peak, MB"]
    return f"CPU seconds per {UNIT:,} lines:\n\n{table(columns, rows)}"


def named_checkout(argument: str) -> tuple[str, Path]:
    """Read `NAME=CHECKOUT`."""
    name, _, directory = argument.partition("=")
    return name, Path(directory)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="measure what awaken costs by lines of Python")
    parser.add_argument("programs", type=Path)
    parser.add_argument("checkouts", type=named_checkout, nargs="+", metavar="NAME=CHECKOUT")
    parser.add_argument("--only", nargs="+", help="measure these programs of the list")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the reports in this directory")
    parser.add_argument("--against", type=Path, help="compare with the reports kept here")
    arguments = parser.parse_args()
    if len(arguments.checkouts) + bool(arguments.against) > SIDES:
        parser.error("two sides are compared: two checkouts, or one and `--against`")
    unknown = set(arguments.only or ()) - {program.name for program in listed()}
    if unknown:
        parser.error(f"not in {LIST.name}: {', '.join(sorted(unknown))}")
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"{arguments.repeats} timed runs of each, load before: {load}\n")
    checkouts = dict(arguments.checkouts)
    chosen = [one for one in listed() if not arguments.only or one.name in arguments.only]
    with tempfile.TemporaryDirectory() as home:
        reports = (arguments.keep or Path(home)).absolute()
        places = (reports, Path(home) / "state")
        bench = Bench(arguments.programs.absolute(), checkouts, arguments.repeats, *places)
        measured = measure_all(bench, chosen, arguments.against)
    print(f"\n{summary(list(checkouts), measured)}")


if __name__ == "__main__":
    main()

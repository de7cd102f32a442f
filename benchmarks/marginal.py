"""The cost of one rule more, of a second run, and of peers on the same files.

    uv run python benchmarks/marginal.py [--repeats 5] [--files 90] [--fixit DIRECTORY]
        CHECKOUT PROGRAM [OPTIONS]

Runs `awaken check` of one checkout, with its own Python (`CHECKOUT/.venv`), on one program: each
rule by itself, all of them, all without it; beside `--version`, an empty directory and ruff. Then
with a cache: nothing changed, and a comment added to one file, with a site and without, in copies
of the program. Last, on files drawn by a seed from those that hold a trigger of a default rule:
LibCST's runner with a pass that changes nothing, and Fixit, whose environment is made in
`DIRECTORY` (a temporary one unless given). Everything runs in turns, after a first run of each
for its memory. `OPTIONS` are those of `awaken check`, such as `--target sqlalchemy=2.0`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Command, Timing, peak_memory, timed
from speed import libcst, made_environment, ruff, spread
from tables import table
from two_checkouts import command, printed

from awaken.contract import Status
from awaken.engine.planning.rule_discovery import all_rules
from awaken.workspace.discovery import Root, find_files

FIXIT = "fixit==2.2.1"
COLD = ["--no-cache"]
SEED = 12


@dataclass(frozen=True)
class Bench:
    """Makes the commands; `home` is a directory of this run alone."""

    checkout: Path
    program: Path
    options: list[str]
    home: Path

    def check(self, name: str, options: list[str], program: Path | None = None) -> Command:
        """`awaken check` of the program, or of another one."""
        directory = program or self.program
        made = command(self.checkout, directory, [*options, *self.options], self.home / "state")
        return made._replace(name=name)

    def version(self) -> Command:
        """The start of awaken that reads nothing."""
        made = self.check("awaken --version", [])
        return made._replace(arguments=[made.arguments[0], "--version"])

    def only(self, rules: Iterable[str]) -> list[str]:
        """The options that run these rules on every file; `ALL` would leave the previews out."""
        return [*COLD, "--select", ",".join(rules)]

    def rules(self) -> list[str]:
        """The names of all rules of the checkout, previews included."""
        listing = [self.version().arguments[0], "rules", "--output-format", "json"]
        document = subprocess.run(listing, capture_output=True, check=True).stdout
        return [rule["name"] for rule in json.loads(document)["rules"]]

    def whole(self) -> list[Command]:
        """The runs that read every file, and the starts below which none of them can be."""
        empty = self.home / "empty"
        empty.mkdir()
        return [
            self.version(),
            self.check("an empty directory", COLD, empty),
            self.check("default rules", COLD),
            self.check("all rules", self.only(self.rules())),
            ruff(self.program, COLD, "ruff"),
        ]

    def again(self) -> list[Command]:
        """The runs that find what an earlier run has left in the cache."""
        site, none = self.edited()
        commands = [self.cached("nothing changed", self.program)]
        for name, file in (("with a site", site), ("without a site", none)):
            copy = self.home / name.replace(" ", "-")
            shutil.copytree(self.program, copy, symlinks=True)
            one = self.cached(f"one file edited, {name}", copy)
            commands.append(one._replace(prepare=comment_added_to(copy / file)))
        return commands

    def cached(self, name: str, program: Path) -> Command:
        """`awaken check` with a cache of its own, which an unmeasured run has filled."""
        cache = str(self.home / f"cache-{program.name}")
        made = self.check(name, ["--cache-dir", cache], program)
        timed(made)
        return made

    def edited(self) -> tuple[str, str]:
        """Return the first file with a site, and of the others that of the middle size."""
        document = printed(self.check("which files have sites", COLD))
        sites = {finding["path"] for finding in document["findings"]}
        if not sites:
            sys.exit(f"{self.program.name} has no site: choose another program")
        others = set(find_files(Root(self.program)).files) - sites
        by_size = sorted(others, key=lambda one: ((self.program / one).stat().st_size, one))
        return min(sites), by_size[len(by_size) // 2]

    def peers(self, count: int, fixit: Path) -> list[Command]:
        """Awaken and its peers on at most `count` files that hold a trigger of a default rule."""
        directory = self.home / "files"
        for file in drawn(self.program, count):
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.program / file, directory / file)
        program = str(made_environment(fixit, FIXIT) / "fixit")
        return [
            self.check("awaken, default rules", COLD, directory),
            self.check("awaken, all rules", self.only(self.rules()), directory),
            libcst(directory),
            Command("Fixit", [program, "--quiet", "lint", "."], directory),
        ]


def drawn(program: Path, count: int) -> list[str]:
    """Return files that hold a trigger of a default rule, drawn by a seed."""
    rules = [rule for rule in all_rules() if rule.status is Status.DEFAULT]
    triggers = [trigger for rule in rules for trigger in rule.triggers]
    files = find_files(Root(program)).files
    holding = [one for one in sorted(files) if holds(program / one, triggers)]
    return random.Random(SEED).sample(holding, min(count, len(holding)))


def holds(file: Path, triggers: Iterable[bytes]) -> bool:
    """Whether the text of a file holds any of `triggers`."""
    text = file.read_bytes()
    return any(trigger in text for trigger in triggers)


def comment_added_to(file: Path) -> Callable[[], None]:
    """Return what adds one comment more to a file each time that it is called."""

    def add() -> None:
        with file.open("a") as opened:
            opened.write("# edited\n")

    return add


def in_turns(commands: Sequence[Command], repeats: int) -> dict[str, list[Timing]]:
    """Run all of them in turns; return the runs by name."""
    rounds = [[timed(one) for one in commands] for _ in range(repeats)]
    names = [one.name for one in commands]
    return dict(zip(names, map(list, zip(*rounds, strict=True)), strict=True))


def user(one: Timing) -> float:
    """The CPU seconds outside the kernel."""
    return one.user


def wall(one: Timing) -> float:
    """The seconds of wall clock."""
    return one.wall


def cells(timings: Sequence[Timing]) -> list[str]:
    """User CPU and wall clock, with their spread."""
    return [spread([of(one) for one in timings], 2) for of in (user, wall)]


def figures(commands: Sequence[Command], repeats: int, against: str) -> str:
    """Measure memory, then time; return a table with each time also by that of `against`."""
    peaks = {one.name: peak_memory(one).proportional for one in commands}
    timings = in_turns(commands, repeats)
    rows = []
    for one in commands:
        runs = timings[one.name]
        ratios = [
            spread([of(a) / of(b) for a, b in zip(runs, timings[against], strict=True)], 2)
            for of in (user, wall)
        ]
        rows.append([one.name, *cells(runs), f"{peaks[one.name]:.0f}", *ratios])
    compared = [f"user / {against}", f"wall / {against}"]
    return table(["run", "user CPU, s", "wall, s", "peak, MB", *compared], rows)


def by_rule(bench: Bench, repeats: int) -> str:
    """Measure every rule by itself and all rules without it; return a table."""
    rules = bench.rules()
    every = bench.check("all rules", bench.only(rules))
    rows = []
    for rule in rules:
        alone = bench.check("alone", bench.only([rule]))
        without = bench.check("without", bench.only(one for one in rules if one != rule))
        timings = in_turns([every, alone, without], repeats)
        pairs = list(zip(timings[every.name], timings[without.name], strict=True))
        more = [f"{statistics.median(of(a) - of(b) for a, b in pairs):+.2f}" for of in (user, wall)]
        rows.append([rule, *cells(timings["alone"]), *cells(timings["without"]), *more])
    sides = [f"{one}: {what}" for one in ("alone", "all without it") for what in ("user", "wall")]
    return table(["rule", *sides, "costs more: user", "costs more: wall"], rows)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="measure what a rule and a second run cost")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--files", type=int, default=90, help="most files that the peers are given")
    parser.add_argument("--fixit", type=Path, help="Fixit's environment, made if it is not there")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("program", type=Path)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of awaken check")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"{arguments.program.name}: {repeats} runs of each in turns, load before: {load}\n")
    with tempfile.TemporaryDirectory() as home:
        program = arguments.program.absolute()
        bench = Bench(arguments.checkout.absolute(), program, arguments.options, Path(home))
        print(figures([*bench.whole(), *bench.again()], repeats, "ruff"), flush=True)
        print(f"\nSeconds, each rule by itself:\n\n{by_rule(bench, repeats)}", flush=True)
        fixit = (arguments.fixit or Path(home) / "env-fixit").absolute()
        peers = bench.peers(arguments.files, fixit)
        print(f"\nOn at most {arguments.files} files that hold a trigger of a default rule:\n")
        print(figures(peers, repeats, "awaken, default rules"))


if __name__ == "__main__":
    main()

"""Time awaken against its peers, paired in one run: A B A B.

Every pair is measured in turns, so that a change in the machine's load meets both; the ratio is
taken pair by pair. Cold means that awaken's cache (ruff: `--no-cache`) is empty; files are in
the system's cache always. Memory is polled in one extra run of each. Usage:

    uv run python benchmarks/speed.py CORPUS [--repeats 7] [--only NAME]

Bowler's environment is made in the corpus the first time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from awaken_runs import Awaken
from corpora import HOMEASSISTANT, PACKAGES, Package
from measuring import Command, Memory, Timing, nothing, peak_memory, timed
from tables import table

PEERS = Path(__file__).parent.absolute() / "peers"
BOWLER = "bowler==0.9.0"
RENAMED = "has_access"
WITHOUT_SITE = """\
import json


def read(path: str) -> dict[str, int]:
    with open(path) as file:
        return {key: len(value) for key, value in json.load(file).items()}
"""
WITH_SITE = """\
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))


def named(session: Session, name: str) -> list[User]:
    return session.query(User).filter(User.name == name).all()
"""


class Pair(NamedTuple):
    """Ours and the peer's command, measured in turns."""

    name: str
    ours: Command
    peer: Command


class Measured(NamedTuple):
    """The runs of a pair, in the order in which they were made, and the memory of each side."""

    pair: Pair
    ours: list[Timing]
    peer: list[Timing]
    memory: tuple[Memory, Memory]


class Bench:
    """Makes the pairs; `home` is a directory of this run alone."""

    def __init__(self, corpus: Path, home: Path) -> None:
        self.corpus = corpus.absolute()
        self.home = home
        self.awaken = Awaken(home)

    def pairs(self) -> Iterator[Pair]:
        """Yield every pair, cold before warm."""
        appbuilder = next(package for package in PACKAGES if package.name == "flask-appbuilder")
        for state in ("cold", "warm"):
            check = self.ours("check", HOMEASSISTANT, state)
            yield Pair(f"homeassistant {state}", check, self.ruff(state))
            diff = self.ours("diff", appbuilder, state)
            yield Pair(f"flask-appbuilder LibCST {state}", diff, self.libcst(appbuilder))
            yield Pair(f"flask-appbuilder Bowler {state}", diff, self.bowler(appbuilder))
            for name, text in (("without a site", WITHOUT_SITE), ("with one site", WITH_SITE)):
                yield Pair(f"one file {name} {state}", self.small(name, text, state), python())

    def ours(self, command: str, package: Package, state: str) -> Command:
        """`awaken check` or `diff` of a package."""
        arguments = [command, ".", *package.target()]
        return self.command(f"awaken {command}", arguments, package.directory(self.corpus), state)

    def small(self, name: str, text: str, state: str) -> Command:
        """`awaken check` of a directory with one small file."""
        directory = self.home / name.replace(" ", "-")
        directory.mkdir(exist_ok=True)
        (directory / "small.py").write_text(text)
        arguments = ["check", "small.py", "--target", "sqlalchemy=2.0"]
        return self.command("awaken check", arguments, directory, state)

    def command(self, name: str, arguments: list[str], directory: Path, state: str) -> Command:
        """One command of awaken, with an empty cache or with what the run before left."""
        return Command(
            f"{name}, {state}",
            [self.awaken.executable, *arguments],
            directory,
            self.awaken.environment,
            self.awaken.forget if state == "cold" else nothing,
        )

    def ruff(self, state: str) -> Command:
        """Ruff on the same directory, with an empty cache or with what the run before left."""
        cache = ["--no-cache"] if state == "cold" else ["--cache-dir", str(self.home / "ruff")]
        return ruff(HOMEASSISTANT.directory(self.corpus), cache, f"ruff check, {state}")

    def libcst(self, package: Package) -> Command:
        """LibCST's codemod runner on the same directory."""
        return libcst(package.directory(self.corpus))

    def bowler(self, package: Package) -> Command:
        """A simple rename by Bowler, in an environment of its own."""
        python = made_environment(self.corpus / "env-bowler", BOWLER) / "python"
        arguments = [str(python), str(PEERS / "bowler_rename.py"), ".", RENAMED]
        return Command("Bowler rename", arguments, package.directory(self.corpus))


def ruff(directory: Path, cache: list[str], name: str) -> Command:
    """Ruff with the rules nearest to awaken's."""
    chosen = ["--isolated", "--exit-zero", "--select", "FAST,ASYNC,RUF006"]
    return Command(name, [beside_python("ruff"), "check", *chosen, *cache, "."], directory)


def libcst(directory: Path) -> Command:
    """LibCST's codemod runner with a pass that only asks for qualified names."""
    tool = [sys.executable, "-m", "libcst.tool", "codemod", "-x", "--no-format"]
    shown = ["--hide-progress", "--unified-diff=3"]
    environment = {**os.environ, "PYTHONPATH": str(PEERS)}
    arguments = [*tool, *shown, "qualified_names.AskForQualifiedNames", "."]
    return Command("LibCST qualified names", arguments, directory, environment)


def made_environment(directory: Path, requirement: str) -> Path:
    """Return the directory of programs of an environment, which is made where there is none."""
    programs = directory / "bin"
    if not programs.exists():
        subprocess.run(["uv", "venv", "-q", "-p", "3.11", directory], check=True)
        python = programs / "python"
        subprocess.run(["uv", "pip", "install", "-q", "-p", python, requirement], check=True)
    return programs


def beside_python(name: str) -> str:
    """Return the program of that name in this Python's environment."""
    return str(Path(sys.executable).with_name(name))


def python() -> Command:
    """Python's own start: what no tool written in it can be faster than."""
    return Command("python -c pass", [sys.executable, "-c", "pass"], Path())


def measure(pair: Pair, repeats: int) -> Measured:
    """Run both sides once unmeasured, then in turns, then once each for the memory."""
    for command in (pair.ours, pair.peer):
        timed(command)
    ours: list[Timing] = []
    peer: list[Timing] = []
    for _ in range(repeats):
        ours.append(timed(pair.ours))
        peer.append(timed(pair.peer))
    return Measured(pair, ours, peer, (peak_memory(pair.ours), peak_memory(pair.peer)))


def spread(values: list[float], digits: int) -> str:
    """Return `median (least to most)`."""
    shown = (statistics.median(values), min(values), max(values))
    middle, least, most = (f"{value:.{digits}f}" for value in shown)
    return f"{middle} ({least} to {most})"


def side(command: Command, timings: list[Timing], memory: Memory) -> list[object]:
    """The cells of one side of a pair."""
    return [
        command.name,
        spread([timing.wall for timing in timings], 3),
        spread([timing.cpu for timing in timings], 3),
        f"{memory.proportional:.0f} ({memory.resident:.0f})",
        " ".join(sorted({str(timing.code) for timing in timings})),
    ]


def ratio(measured: Measured, of: Callable[[Timing], float]) -> str:
    """Return how many times our value is the peer's, pair by pair."""
    both = zip(measured.ours, measured.peer, strict=True)
    return spread([of(ours) / of(peer) for ours, peer in both], 2)


def report(all_measured: list[Measured]) -> str:
    """Return both tables."""
    rows, ratios = [], []
    for measured in all_measured:
        pair, memory = measured.pair, measured.memory
        rows.append([pair.name, *side(pair.ours, measured.ours, memory[0])])
        rows.append(["", *side(pair.peer, measured.peer, memory[1])])
        walls, cpus = ratio(measured, lambda t: t.wall), ratio(measured, lambda t: t.cpu)
        ratios.append([pair.name, f"{pair.ours.name} / {pair.peer.name}", walls, cpus])
    columns = ["pair", "command", "wall, s", "CPU, s", "peak memory, MB (sum of RSS)", "exit"]
    return "\n\n".join(
        [
            table(columns, rows, words=2),
            table(["pair", "ratio of", "wall", "CPU"], ratios, words=2),
        ]
    )


def machine() -> str:
    """Return what a reader needs to know about this run."""
    tools = [f"{name} {importlib.metadata.version(name)}" for name in ("awaken", "ruff", "libcst")]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(tools)},"
        f" {BOWLER}; load before: {load}"
    )


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="time awaken against its peers, in pairs")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", default="", help="measure the pairs whose name contains this")
    arguments = parser.parse_args()
    print(machine(), "\n")
    with tempfile.TemporaryDirectory() as home:
        pairs = Bench(arguments.corpus, Path(home)).pairs()
        chosen = [pair for pair in pairs if arguments.only in pair.name]
        done: list[Measured] = []
        for number, pair in enumerate(chosen, 1):
            print(f"{number} of {len(chosen)}: {pair.name}", file=sys.stderr)
            done.append(measure(pair, arguments.repeats))
    print(report(done))
    print(
        f"\nMedian (least to most) of {arguments.repeats} pairs after one unmeasured run of each."
    )


if __name__ == "__main__":
    main()

"""What each limit of the analyses costs and gives: results with half of it and with twice as much.

    uv run python benchmarks/limits.py [--only WORD] PROGRAM [PROGRAM ...]

Every number of `awaken/project` and `awaken/codemods` that ends a search is changed by itself, and
`awaken check` runs on each program. The table says how many findings are not the same, counted by
file, place and level, and the CPU seconds beside those of the unchanged number. A limit that loses
nothing by half has room; one that gains by twice as much is too small, or the price of a budget.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from awaken_runs import Document

PACKAGE = Path(__file__).parent.parent / "awaken"
NAMES = re.compile(r"_?(MOST|DEEPEST|LONGEST|DEPTH|STEPS)(_[A-Z_]+)?")
RUN = """
import sys
from importlib import import_module
name, value, *arguments = sys.argv[1:]
if name:
    home, _, constant = name.rpartition(".")
    old = getattr(import_module(home), constant)
    setattr(import_module(home), constant, int(value))
    from awaken.engine.planning.rule_discovery import all_rules
    all_rules()
    for module in [one for key, one in sys.modules.items() if key.startswith("awaken.")]:
        if not constant.startswith("_") and getattr(module, constant, None) is old:
            setattr(module, constant, int(value))
from awaken.cli import main
sys.argv = ["awaken", *arguments]
main()
"""


@dataclass(frozen=True)
class Limit:
    """One number, by the dotted name of its constant."""

    name: str
    value: int


@dataclass(frozen=True)
class Answer:
    """The findings of one run with how often each stands there, and CPU seconds."""

    findings: Counter[tuple[str | int, ...]]
    seconds: float


def limits() -> Iterator[Limit]:
    """Yield all limits of the analyses in the order of their files."""
    for folder in ("project", "codemods"):
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            module = ".".join(["awaken", *file.relative_to(PACKAGE).with_suffix("").parts])
            for node in ast.parse(file.read_bytes()).body:
                match node:
                    case ast.Assign(
                        targets=[ast.Name(id=name)], value=ast.Constant(value=int() as value)
                    ) if NAMES.fullmatch(name):
                        yield Limit(f"{module}.{name}", value)


def run(program: Path, limit: Limit | None, value: int = 0) -> Answer:
    """Return what `awaken check` finds in one program with one limit changed."""
    name = "" if limit is None else limit.name
    with tempfile.TemporaryDirectory() as state:
        command = [sys.executable, "-c", RUN, name, str(value), "check", "--no-cache", "-j1"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, "--output-format", "json", "."],
            cwd=program,
            env={**os.environ, "AWAKEN_STATE_DIR": state},
            capture_output=True,
            check=False,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = msgspec.json.decode(done.stdout, type=Document)
    found = Counter((*one.place, one.rule, one.level) for one in document.findings)
    return Answer(found, after.ru_utime - before.ru_utime)


def changed(one: Answer, other: Answer) -> int:
    """Return how many findings of either are not in the other."""
    return max((one.findings - other.findings).total(), (other.findings - one.findings).total())


def main() -> None:
    """Print one row for each limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("programs", nargs="+", type=Path)
    arguments = parser.parse_args()
    usual = [run(program, None) for program in arguments.programs]
    print(
        "| limit | value | half: findings, seconds | twice: findings, seconds |\n|---|---:|---|---|"
    )
    for limit in limits():
        if arguments.only not in limit.name:
            continue
        cells = []
        for value in (max(1, limit.value // 2), limit.value * 2):
            answers = [run(program, limit, value) for program in arguments.programs]
            different = [changed(*pair) for pair in zip(usual, answers, strict=True)]
            seconds = sum(one.seconds for one in answers) - sum(one.seconds for one in usual)
            cells.append(f"{', '.join(map(str, different))}; {seconds:+.1f} s")
        print(f"| `{limit.name}` | {limit.value} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()

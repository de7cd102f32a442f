"""What session-to-async plans for each application of async_applications.toml, as tables.

Each is copied, its queries are rewritten, and then it is checked once with a fresh memory. The
figures are those that awaken prints: the functions in its plan, where they begin, what stands at
their edge, and the calls that it cannot resolve. CPU and memory are those of the check. Usage:

    uv run python benchmarks/async_plans.py CORPUS [NAME ...] [--config NAME=KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from async_by_hand import functions_of, split
from async_migration import awaken
from async_programs import Application, applications
from awaken_runs import Finding
from msgspec import Struct
from tables import table

COLUMNS = (
    "application",
    "becomes",
    "lines",
    "functions, tests",
    "begin",
    "coloured, tests",
    "not resolved",
    "s",
    "s per 50,000 lines",
    "MB",
)
_UNRESOLVED = "session-to-async/unknown-call"


class Row(Struct):
    """A line of a part of a plan."""

    text: str
    count: int


class Part(Struct):
    """A part of a plan."""

    key: str
    total: int
    rows: list[Row]


class Outline(Struct):
    """The plan of one component."""

    rule: str
    title: str
    parts: list[Part]


class Planned(Struct):
    """What the script reads of `awaken check --output-format json`."""

    findings: list[Finding]
    plans: list[Outline]


def planned(
    application: Application, copy: Path, config: Sequence[str], home: Path
) -> list[object]:
    """Return the line of one application, of which ``copy`` is changed."""
    environment = {**os.environ, "AWAKEN_STATE_DIR": str(home), "XDG_CACHE_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    root, report = application.directory(copy), home / "plan.json"
    version = f"py{application.python.replace('.', '')}"
    common = ["--unsafe-fixes", "--target-version", version, "-j1"]
    common += [word for one in config for word in ("--config", one)]
    queries = ["apply", ".", "--allow-dirty", "-q", "--select", "query-to-select", *common]
    quiet = {"cwd": root, "env": environment, "stdout": subprocess.DEVNULL}
    subprocess.run([awaken(), *queries], check=False, **quiet)
    words = ["check", ".", "--exit-zero", "--select", "session-to-async", *common]
    words += ["--output-format", "json", "-o", str(report)]
    with (home / "stderr").open("wb") as messages:
        running = subprocess.Popen([awaken(), *words], cwd=root, env=environment, stderr=messages)
        _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    document = msgspec.json.decode(report.read_bytes(), type=Planned)
    program, tests = split(frozenset(functions_of(root)))
    lines = sum(path.read_bytes().count(b"\n") for path in root.rglob("*.py") if path.is_file())
    seconds = usage.ru_utime + usage.ru_stime
    levels = Counter(one.level for one in document.findings)
    return [
        application.name,
        f"{levels['unsafe']} of {levels.total()} sites",
        lines,
        f"{program}, {tests}",
        total(document, "seeds"),
        f"{total(document, 'functions')}, {total(document, 'tests')}",
        sum(one.reason == _UNRESOLVED for one in document.findings),
        f"{seconds:.1f}",
        f"{seconds * 50_000 / lines:.1f}",
        round(usage.ru_maxrss / 1024),
        document,
    ]


def total(document: Planned, key: str) -> int:
    """Add up what the parts of this key count."""
    parts = [part for plan in document.plans for part in plan.parts if part.key == key]
    return sum(part.total or sum(row.count for row in part.rows) for part in parts)


def edges(document: Planned) -> Counter[str]:
    """Return how many functions stand at each kind of edge."""
    counted: Counter[str] = Counter()
    for plan in document.plans:
        for part in plan.parts:
            for row in part.rows if part.key == "boundaries" else ():
                counted[row.text] += row.count
    return counted


def main() -> None:
    """Read the command line, plan and print."""
    parser = argparse.ArgumentParser(description="what session-to-async plans for applications")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--config", action="append", default=[], metavar="NAME=KEY=VALUE")
    given = parser.parse_args()
    rows: list[list[object]] = []
    boundaries: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for application in applications(("twelve", "beside", "by-hand")):
        if given.names and application.name not in given.names:
            continue
        before = f"{application.name}="
        config = [one.removeprefix(before) for one in given.config if one.startswith(before)]
        with tempfile.TemporaryDirectory() as place:
            home = Path(place) / "home"
            home.mkdir()
            copy = Path(place) / application.name
            shutil.copytree(given.corpus / application.name, copy, symlinks=True)
            *row, document = planned(application, copy, config, home)
        rows.append(row)
        boundaries[application.name] = edges(document)
        reasons[application.name] = Counter(
            one.reason.partition("/")[2] for one in document.findings if one.reason
        )
        print(*row, sep=" | ", flush=True)
    print("\n" + table(COLUMNS, rows, words=2))
    for heading, counts in (("edge", boundaries), ("reason", reasons)):
        kinds = sorted({kind for one in counts.values() for kind in one})
        counted = ([kind, *(one[kind] for one in counts.values())] for kind in kinds)
        print("\n" + table((heading, *counts), counted))


if __name__ == "__main__":
    main()

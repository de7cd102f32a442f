"""How many legacy queries of a program do its own tests make, and are its statements the same?

Knows nothing of awaken and changes nothing. The tests run twice, in a copy. Counted, once in the
program and once in its tests, are the expressions that may start a `Query`, by plain `ast`: every
call `x.query(...)`, and every `x.query` that is read without a call where `x` is written like a
class (`User`, `models.User`, `cls`, `self.model`). Executed are those of them at which a `Query`
was really made (query_starts.py). The statements of both runs are compared test by test
(statement_logs.py). Usage:

    uv run python benchmarks/executed_queries.py CORPUS [PROGRAM ...] [--list]
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from corpora import PROGRAMS, Program, copy
from statement_logs import Comparison, compare, read_log
from suites import Suite
from tables import table

NAMES_OF_CLASSES = frozenset({"cls", "model", "model_class", "__class__"})

Place = tuple[str, int, int]
"""File, and the line (from 1) and column (in bytes, from 0) where the expression ends."""


class Start(NamedTuple):
    """An expression that may start a query."""

    place: Place
    text: str

    @property
    def is_in_tests(self) -> bool:
        """Whether its file belongs to the tests."""
        path = Path(self.place[0])
        name = path.stem
        is_test = name.startswith("test_") or name.endswith(("_test", "testlib"))
        return is_test or name == "conftest" or not {"tests", "testing"}.isdisjoint(path.parts)


class Run(NamedTuple):
    """Two runs of the tests."""

    results: list[str]
    seconds: list[float]
    executed: set[Place]
    statements: int
    texts: Comparison
    values: Comparison


def starts(root: Path) -> list[Start]:
    """Return what may start a query in every file below `root` that parses."""
    found: list[Start] = []
    for file in sorted(root.rglob("*.py")):
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError) as error:
            print(f"{file}: not parsed: {error}", file=sys.stderr)
            continue
        path = file.relative_to(root).as_posix()
        for node in starts_in(tree):
            place = path, node.end_lineno or 0, node.end_col_offset or 0
            found.append(Start(place, ast.unparse(node)))
    return found


def starts_in(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield calls `x.query(...)`, and `Class.query` where it is not called."""
    called: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="query") as function):
                called.add(id(function))
                yield node
            case ast.Attribute(attr="query", ctx=ast.Load()) if id(node) not in called:
                if is_class(node.value):
                    yield node


def is_class(receiver: ast.expr) -> bool:
    """Whether a name, or the last attribute, is written like a class or known to hold one."""
    match receiver:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name[:1].isupper() or name in NAMES_OF_CLASSES
    return False


def run(program: Program, corpus: Path, place: Path) -> Run:
    """Run the tests twice; ends the script if they cannot be started."""
    suite = Suite(program, corpus, copy(program.directory(corpus), place / program.repository))
    results, seconds, logs = [], [], []
    executed: set[Place] = set()
    for turn in ("first", "second"):
        log, made = place / f"{turn}.log", place / f"{turn}.starts"
        plugins = ["-p", "statement_log", f"--statement-log={log}"]
        plugins += ["-p", "query_starts", f"--query-starts={made}"]
        start = time.monotonic()
        outcome = suite.run([], *plugins)
        seconds.append(time.monotonic() - start)
        if not made.exists():
            sys.exit(f"{program.name}: pytest ended with {outcome.code}: {outcome.summary}")
        results.append(", ".join([outcome.summary, *outcome.failed]))
        executed |= set(msgspec.json.decode(made.read_bytes(), type=list[Place]))
        logs.append(read_log(log))
    first, second = logs
    statements = sum(map(len, first.values()))
    texts, values = compare(first, second, second), compare(first, first, second)
    return Run(results, seconds, executed, statements, texts, values)


def row_of(program: Program, found: list[Start], done: Run) -> list[object]:
    """Return one row of the table."""
    counts: list[object] = []
    for wanted in (False, True):
        places = {start.place for start in found if start.is_in_tests is wanted}
        counts += [len(places), len(places & done.executed)]
    tests = sum(len(names) for names in done.texts)
    logs = [tests, tests - len(done.texts.unstable), len(done.values.identical)]
    result = done.results[0] if len(set(done.results)) == 1 else " / ".join(done.results)
    took = " / ".join(f"{taken:.0f}" for taken in done.seconds)
    return [program.name, result, took, *counts, done.statements, *logs]


def details(found: list[Start], done: Run) -> Iterator[str]:
    """Yield a line per executed start, and a few per test that sent something else again."""
    for start in found:
        if start.place in done.executed:
            yield f"{start.place[0]}:{start.place[1]}: {start.text}"
    for different in done.values.different:
        yield "\n  ".join(("differs:", *different))


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="legacy queries that the tests execute")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--list", action="store_true", help="print executed starts and differences")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    shown: list[list[object]] = []
    for program in PROGRAMS:
        if arguments.programs and program.name not in arguments.programs:
            continue
        found = starts(program.directory(arguments.corpus))
        with tempfile.TemporaryDirectory() as place:
            done = run(program, arguments.corpus, Path(place).resolve())
        shown.append(row_of(program, found, done))
        if arguments.list:
            print(*details(found, done), sep="\n")
    columns = ["program", "tests, twice", "seconds", "starts", "executed"]
    columns += ["starts in tests", "executed", "statements", "tests that send any"]
    columns += ["same statements twice", "same values too"]
    print(table(columns, shown, words=2))


if __name__ == "__main__":
    main()

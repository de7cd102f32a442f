"""Do a program's own tests notice a wrong rewrite? Breaks each rewritten site in several ways.

The program is copied and migrated by awaken. One run of its tests under coverage, before the
migration, says which tests execute which site. Then, one at a time, a rewritten statement loses
`.unique()`, `.limit(1)`, or one `where`, `filter` or `filter_by`, or gives rows where it gave
objects or the reverse (`scalars` and `execute` swapped, `.scalars()` dropped), and the tests that
execute it run until one fails. Usage:

    uv run python benchmarks/mutants.py CORPUS [PROGRAM ...] [--unsafe-fixes] [--coverage-only]
        [--at-most NUMBER]

With a number, no more mutants of each program are made, drawn by lot among those outside its tests.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from awaken_runs import Awaken, Finding
from corpora import PROGRAMS, Program, copy
from statements import Rewrite, Source, own_nodes, read, rewrites
from suites import Lines, Suite
from tables import percent, table

CONDITIONS = frozenset({"where", "filter", "filter_by"})
FATES = {0: "survived", 1: "killed", 2: "killed", None: "hung"}
"""What became of a mutant, by pytest's exit code (2: the tests could not be collected)."""
COLUMNS = ("not executed", "survived", "hung", "killed")
TAKES_FIRST_COLUMN = frozenset({"scalars", "scalar", "scalar_one", "scalar_one_or_none"})


class Mutant(NamedTuple):
    """One way to break one statement: bytes `start` to `end` of its file become `text`."""

    kind: str
    path: str
    line: int
    start: int
    end: int
    text: bytes
    tests: frozenset[str]

    def of(self, data: bytes) -> bytes:
        """Return the broken file."""
        return data[: self.start] + self.text + data[self.end :]


class Migrated(NamedTuple):
    """A migrated copy: its rewritten sites, and the tests that execute each."""

    suite: Suite
    sites: list[Rewrite]
    sources: dict[str, Source]
    lines: Lines

    def tests_of(self, finding: Finding) -> frozenset[str]:
        """The tests that execute a line of the site, as it was before the migration."""
        executed = self.lines.get(finding.path, {})
        site = range(finding.line, finding.end_line + 1)
        return frozenset().union(*(executed.get(line, frozenset()) for line in site))


def migrate(program: Program, corpus: Path, place: Path, options: list[str]) -> Migrated:
    """Copy the program, learn what its tests execute, and apply awaken."""
    awaken = Awaken(place / "home")
    suite = Suite(program, corpus, copy(program.directory(corpus), place / program.repository))
    lines = suite.lines()
    levels = {"safe", "unsafe"} if "--unsafe-fixes" in options else {"safe"}
    findings: dict[str, list[Finding]] = defaultdict(list)
    for finding in awaken.check(suite.copy, options).findings:
        if finding.level in levels:
            findings[finding.path].append(finding)
    before = {path: read((suite.copy / path).read_bytes()) for path in findings}
    done = awaken.run(["apply", ".", *options], suite.copy)
    if done.returncode != 0:
        sys.exit(f"awaken apply ended with {done.returncode}:\n{done.stderr.decode()}")
    after = {path: read((suite.copy / path).read_bytes()) for path in findings}
    sites = [
        site
        for path, found in findings.items()
        for site in rewrites(found, before[path], after[path])
    ]
    return Migrated(suite, sites, after, lines)


def mutants_of(migrated: Migrated) -> list[Mutant]:
    """Return every mutant of every rewritten statement, each once."""
    found: dict[tuple[str, int, int], Mutant] = {}
    for site in migrated.sites:
        path = site.finding.path
        source, tests = migrated.sources[path], migrated.tests_of(site.finding)
        for kind, line, start, end, text in cuts(source, site.after):
            mutant = Mutant(kind, path, line, start, end, text, tests)
            compile(mutant.of(source.data), path, "exec", dont_inherit=True)
            found.setdefault((path, start, end), mutant)
    return list(found.values())


def cuts(source: Source, statement: ast.stmt) -> Iterator[tuple[str, int, int, int, bytes]]:
    """Yield kind, line, start, end and new text of every way to break one statement."""
    nodes = list(own_nodes(statement))
    columns = {id(n.value) for n in nodes if is_attribute(n) and n.attr in TAKES_FIRST_COLUMN}
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=before, attr=name)) if is_new(before):
                line, name_end = before.end_lineno or 0, source.span(node.func)[1]
                if other := swapped(node, name, is_scalar=id(node) in columns):
                    start = name_end - len(name)
                    yield f"{name} becomes {other}", line, start, name_end, other.encode()
                elif kind := what_is_dropped(node, name):
                    yield kind, line, source.span(before)[1], source.span(node)[1], b""


def is_attribute(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Whether this is `x.y`."""
    return isinstance(node, ast.Attribute)


def swapped(call: ast.Call, name: str, *, is_scalar: bool) -> str | None:
    """Return the opposite of a method that executes; None where the swap could only crash."""
    if not call.args or not is_select(call.args[0]):
        return None
    return {"scalars": "execute", "execute": None if is_scalar else "scalars"}.get(name)


def is_select(statement: ast.expr) -> bool:
    """Whether a chain starts with `select(...)`, by whatever name it is imported."""
    while isinstance(statement, ast.Call) and isinstance(statement.func, ast.Attribute):
        if statement.func.attr.endswith("select"):
            return True
        statement = statement.func.value
    return isinstance(statement, ast.Call) and ast.unparse(statement.func).endswith("select")


def is_new(receiver: ast.expr) -> bool:
    """Whether this is no part of a chain that still starts with `x.query(...)`."""
    calls = (node for node in ast.walk(receiver) if isinstance(node, ast.Attribute))
    return all(attribute.attr != "query" for attribute in calls)


def what_is_dropped(call: ast.Call, name: str) -> str | None:
    """Name the mutant that drops this call from its chain; None if it is not one of ours."""
    match name, call.args:
        case "unique" | "scalars", []:
            return f"drop .{name}()"
        case "limit", [ast.Constant(value=1)]:
            return "drop .limit(1)"
        case _ if name in CONDITIONS:
            return "drop a where"
    return None


def fate_of(mutant: Mutant, suite: Suite) -> str:
    """Break the file, run the tests that execute the place until one fails, and mend it."""
    if not mutant.tests:
        return "not executed"
    file = suite.copy / mutant.path
    data = file.read_bytes()
    file.write_bytes(mutant.of(data))
    try:
        outcome = suite.run(sorted(mutant.tests), "-x")
    finally:
        file.write_bytes(data)
    if outcome.code not in FATES:
        raise RuntimeError(f"pytest ended with {outcome.code}: {outcome.summary}")
    return FATES[outcome.code]


def coverage_rows(program: Program, migrated: Migrated) -> list[list[object]]:
    """Count the rewritten sites, and those that a test executes, program and tests apart."""
    rows: list[list[object]] = []
    for kind, wanted in (("program", False), ("tests", True)):
        sites = [s.finding for s in migrated.sites if is_test(s.finding.path) is wanted]
        executed = sum(bool(migrated.tests_of(site)) for site in sites)
        share = percent(executed, len(sites))
        rows.append([program.name, kind, len(sites), executed, share])
    return rows


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests."""
    return "tests" in Path(path).parts


def mutant_rows(program: Program, judged: list[tuple[Mutant, str]]) -> list[list[object]]:
    """Count the mutants by what they break and what became of them."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for mutant, fate in judged:
        where = "tests" if is_test(mutant.path) else "program"
        counts[where, mutant.kind][fate] += 1
        counts["", "all"][fate] += 1
    return [
        [program.name, where, kind, fates.total(), *(fates[fate] for fate in COLUMNS)]
        for (where, kind), fates in sorted(counts.items())
    ]


def drawn(mutants: list[Mutant], most: int | None) -> list[Mutant]:
    """Return all mutants, or so many of those outside the tests, the same ones every time."""
    if most is None:
        return mutants
    outside = [mutant for mutant in mutants if not is_test(mutant.path)]
    return random.Random(0).sample(outside, min(most, len(outside)))


def judge(migrated: Migrated, most: int | None) -> list[tuple[Mutant, str]]:
    """Run the tests for every mutant that a test executes, or for `most` drawn by lot."""
    outcome = migrated.suite.run()
    if outcome.code != 0:
        sys.exit(f"the tests fail after the migration, before any mutant: {outcome}")
    judged: list[tuple[Mutant, str]] = []
    for mutant in drawn(mutants_of(migrated), most):
        fate = fate_of(mutant, migrated.suite)
        judged.append((mutant, fate))
        place = f"{mutant.path}:{mutant.line}"
        print(f"{place}: {mutant.kind}: {fate} ({len(mutant.tests)} tests)", file=sys.stderr)
    return judged


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="mutants of rewritten sites against the tests")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--unsafe-fixes", action="store_true")
    parser.add_argument("--coverage-only", action="store_true")
    parser.add_argument("--at-most", type=int, metavar="NUMBER", help="mutants of each program")
    arguments = parser.parse_args()
    options = ["--unsafe-fixes"] if arguments.unsafe_fixes else []
    chosen = [p for p in PROGRAMS if p.name in arguments.programs or not arguments.programs]
    covered: list[list[object]] = []
    counted: list[list[object]] = []
    survivors: list[str] = []
    for program in chosen:
        with tempfile.TemporaryDirectory() as place:
            migrated = migrate(program, arguments.corpus, Path(place), [*program.target, *options])
            covered += coverage_rows(program, migrated)
            judged = [] if arguments.coverage_only else judge(migrated, arguments.at_most)
        counted += mutant_rows(program, judged)
        survivors += [
            f"- {program.name} {mutant.path}:{mutant.line} {mutant.kind}"
            for mutant, fate in judged
            if fate == "survived"
        ]
    print("## Rewritten sites that the tests execute\n")
    print(table(["program", "in its", "rewritten", "executed", "share"], covered, words=2))
    if not arguments.coverage_only:
        columns = ["program", "in its", "mutant", "made", *COLUMNS]
        print("\n## Mutants\n")
        print(table(columns, counted, words=3))
        print("\nSurvived:\n", *survivors, sep="\n")


if __name__ == "__main__":
    main()

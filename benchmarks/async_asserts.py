"""Whether the tests of a program say as much after its migration as before.

Knows nothing of awaken. Counts in the files of tests, for two trees of one program: test functions,
`assert` statements, assertions of mocks and of unittest, blocks of `pytest.raises` and `warns`,
marks and calls that skip, expected failures, and what the settings of pytest deselect or ignore.
With `--coverage` two reports of coverage (`coverage json`) are compared too, over the files of the
program: lines and branches that are run, of all, and with `--missed` the lines that are not run now
and either are new or were run. Coverage has to be told `concurrency = thread,greenlet`, or it loses
sight of what runs below a greenlet of SQLAlchemy. Exits with 1 where something got less, or is
skipped newly. Usage:

    python benchmarks/async_asserts.py BEFORE AFTER [--coverage BEFORE.json AFTER.json [--missed]]
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from async_programs import is_test, python_files
from tables import table

MORE = ("tests", "assert", "mocks asked", "unittest", "raises")
"""What may not become less."""
LESS = ("skips", "xfails", "deselected")
"""What may not become more."""
_SKIPS = {"importorskip", "skip", "skipif", "skipIf", "skipTest", "skipUnless"}
_RAISES = {"deprecated_call", "raises", "warns"}
_ASKING = (
    "assert_any_await", "assert_any_call", "assert_awaited", "assert_called", "assert_has_awaits",
    "assert_has_calls", "assert_not_awaited", "assert_not_called",
)  # fmt: skip
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")
_DESELECTING = re.compile(r"--(?:deselect|ignore(?:-glob)?)\b|\bcollect_ignore|-k\s+[\"']?not\b")


def kind_of(node: ast.AST) -> str:
    """Return what a node of a test counts as, empty for nothing."""
    match node:
        case ast.Assert():
            return "assert"
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return "tests" if name.startswith("test") else ""
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return _kind_of_call(name)
        case ast.Attribute(value=ast.Attribute(attr="mark"), attr=name):
            # With arguments the call around it counts.
            return "xfails" if name == "xfail" else ""
        case _:
            return ""


def _kind_of_call(name: str) -> str:
    if name in _SKIPS:
        return "skips"
    if name in _RAISES:
        return "raises"
    if name.startswith(_ASKING):
        return "mocks asked"
    return "unittest" if re.match(r"assert[A-Z]", name) else ""


def counted(program: Path) -> Counter[str]:
    """Return how much of each kind the tests of a program have."""
    found: Counter[str] = Counter()
    for path, module in python_files(program):
        if is_test(path):
            found.update(kind for node in ast.walk(module) if (kind := kind_of(node)))
            found["deselected"] += len(_DESELECTING.findall((program / path).read_text()))
    for name in _SETTINGS:
        for settings in program.rglob(name):
            found["deselected"] += len(_DESELECTING.findall(settings.read_text()))
    return found


class Covered(NamedTuple):
    """How many lines, and how many branches, of a program ran, and how many it has."""

    lines: int
    all_lines: int
    branches: int
    all_branches: int

    def rows(self, after: Covered) -> list[list[str]]:
        """Return the rows that compare with another."""
        shares = [
            (name, f"{100 * one / max(every, 1):.2f}", f"{100 * other / max(others, 1):.2f}")
            for name, one, every, other, others in (
                ("lines run, %", *self[:2], *after[:2]),
                ("branches run, %", *self[2:], *after[2:]),
            )
        ]
        counts = [("lines", self.all_lines, after.all_lines)]
        counts.append(("lines not run", self.all_lines - self.lines, after.all_lines - after.lines))
        return [[name, str(one), str(other)] for name, one, other in (*shares, *counts)]


def covered(report: Path) -> Covered:
    """Return what ran of a program, tests left out."""
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    summaries = [one["summary"] for one in files_in(report).values()]
    return Covered(*(sum(one.get(name, 0) for one in summaries) for name in names))


def files_in(report: Path) -> dict[str, Any]:
    """Return what a report says of each file of a program, tests left out."""
    files = json.loads(report.read_text())["files"]
    return {path: one for path, one in files.items() if not is_test(PurePosixPath(path))}


def missed(before: Path, after: Path, reports: tuple[Path, Path]) -> Iterator[str]:
    """Yield the lines of `after` that do not run, but for those that did not before either.

    A line is found again by its text without the words of coroutines, inside of one file.
    """
    old = files_in(reports[0])
    for path, found in sorted(files_in(reports[1]).items()):
        lines = (after / path).read_text().splitlines()
        known: Counter[str] = Counter()
        if path in old:
            texts = (before / path).read_text().splitlines()
            known.update(_plain(texts[one - 1]) for one in old[path]["missing_lines"])
        for number in found["missing_lines"]:
            text = _plain(lines[number - 1])
            if known[text]:
                known[text] -= 1
            else:
                yield f"{path}:{number} {lines[number - 1].strip()}"


def _plain(line: str) -> str:
    without = re.sub(r"\b(?:async|await|Async|a?contextlib\.)\b", "", line)
    return re.sub(r"[\s()]", "", without)


def main() -> int:
    """Print the table, and return whether the tests say less."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--coverage", type=Path, nargs=2)
    parser.add_argument("--missed", action="store_true")
    arguments = parser.parse_args()
    before, after = counted(arguments.before), counted(arguments.after)
    rows = [[kind, str(before[kind]), str(after[kind])] for kind in (*MORE, *LESS)]
    worse = [one for one in MORE if after[one] < before[one]]
    worse += [one for one in LESS if after[one] > before[one]]
    if arguments.coverage:
        compared = covered(arguments.coverage[0]).rows(covered(arguments.coverage[1]))
        rows += compared
        worse += [name for name, one, other in compared[:2] if float(other) < float(one)]
    print(table(["", "before", "after"], rows))
    print(f"worse: {', '.join(worse)}" if worse else "nothing is less")
    if arguments.coverage and arguments.missed:
        found = missed(arguments.before, arguments.after, tuple(arguments.coverage))
        print(*found, sep="\n")
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())

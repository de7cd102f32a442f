"""Whether the tests of a program say as much after its migration as before.

Knows nothing of awaken. Counts in the files of tests, for two trees of one program: test functions,
`assert` statements, assertions of mocks and of unittest, blocks of `pytest.raises` and `warns`,
marks and calls that skip, expected failures, and what the settings of pytest deselect or ignore.
With `--coverage` two reports of coverage (`coverage json`) are compared too, over the files of the
program: lines that are run, of all. Coverage has to be told `concurrency = thread,greenlet`, or it
loses sight of what runs below a greenlet of SQLAlchemy. Exits with 1 where something got less, or
is skipped newly. Usage:

    python benchmarks/async_asserts.py BEFORE AFTER [--coverage BEFORE.json AFTER.json]
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

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


def covered(report: Path) -> tuple[int, int]:
    """Return how many lines of a program ran, and how many it has, tests left out."""
    files = json.loads(report.read_text())["files"]
    summaries = [one["summary"] for path, one in files.items() if not is_test(PurePosixPath(path))]
    return (
        sum(one["covered_lines"] for one in summaries),
        sum(one["num_statements"] for one in summaries),
    )


def main() -> int:
    """Print the table, and return whether the tests say less."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--coverage", type=Path, nargs=2)
    arguments = parser.parse_args()
    before, after = counted(arguments.before), counted(arguments.after)
    rows = [[kind, str(before[kind]), str(after[kind])] for kind in (*MORE, *LESS)]
    worse = [one for one in MORE if after[one] < before[one]]
    worse += [one for one in LESS if after[one] > before[one]]
    if arguments.coverage:
        (ran, lines), (ran_after, lines_after) = map(covered, arguments.coverage)
        shares = ran / lines, ran_after / lines_after
        rows.append(["covered, %", f"{100 * shares[0]:.2f}", f"{100 * shares[1]:.2f}"])
        rows.append(["lines not run", str(lines - ran), str(lines_after - ran_after)])
        worse += ["covered, %"] if round(shares[1], 4) < round(shares[0], 4) else []
    print(table(["", "before", "after"], rows))
    print(f"worse: {', '.join(worse)}" if worse else "nothing is less")
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())

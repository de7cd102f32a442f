"""Tell of the loader options that awaken added to a program how many a test needs.

`python benchmarks/loading_needed.py BEFORE AFTER LOG` compares two trees, draws at most 100 of the
options that only AFTER has by a seed, and looks for them in a log that the pytest plugin
added_loads.py wrote there. An option is needed if a test that made it read its relationship later.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from loading_precision import DRAWN, SEED
from tables import percent, table

LOADERS = ("selectinload", "joinedload")


class Call(NamedTuple):
    """A call that makes an option: its file, where it ends, and its text."""

    file: str
    line: int
    column: int
    scope: str
    text: str


def calls_of(directory: Path, path: Path) -> Iterator[Call]:
    """Yield the calls of a file that make options."""
    file = str(path.relative_to(directory))
    waiting: list[tuple[ast.AST, str]] = [(ast.parse(path.read_bytes()), "")]
    while waiting:
        node, scope = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = f"{scope}.{node.name}"
        if isinstance(node, ast.Call) and _name(node.func) in LOADERS:
            end = node.end_lineno or 0, node.end_col_offset or 0
            yield Call(
                file, *end, scope, f"{_name(node.func)}({', '.join(map(ast.unparse, node.args))})"
            )
        waiting += [(child, scope) for child in ast.iter_child_nodes(node)]


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def added(before: Path, after: Path) -> Iterator[Call]:
    """Yield the calls that only the second tree has."""
    for path in sorted(after.rglob("*.py")):
        source = path.read_bytes()
        old = before / path.relative_to(after)
        if source == (old.read_bytes() if old.is_file() else b""):
            continue
        known = Counter((one.scope, one.text) for one in calls_of(before, old))
        for one in sorted(calls_of(after, path)):
            known[one.scope, one.text] -= 1
            if known[one.scope, one.text] < 0:
                yield one


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="loads that awaken added, and what tests read")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("log", type=Path)
    arguments = parser.parse_args()
    found = list(added(arguments.before, arguments.after))
    drawn = sorted(random.Random(SEED).sample(found, min(DRAWN, len(found))))
    rows = json.loads(arguments.log.read_text())
    made = {(row["file"], row["line"], row["column"]): row for row in rows}
    executed = [one for one in drawn if one[:3] in made]
    needed = [one for one in executed if made[one[:3]]["read"]]
    counts = [len(found), len(drawn), len(executed), len(needed)]
    share = percent(len(needed), len(executed))
    head = ["program", "added", "drawn", "executed", "read", "share"]
    print(table(head, [[arguments.before.name, *counts, share]]))
    for one in drawn:
        row = made.get(one[:3])
        tests = f"read in {row['read']} of {row['made']} tests" if row else "not executed"
        print(f"- {one.file}:{one.line} {one.text}: {tests}")


if __name__ == "__main__":
    main()

"""Whether who calls a function depends on how many trees are kept: answers at three limits.

    uv run python benchmarks/callers_and_memory.py PROGRAM [PROGRAM ...]

Asks for the callers of functions of each program, drawn by a seed, with one tree at a time, with
the usual limit and without one, and prints how many answers differ. Exits with 1 if any does.
"""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

from awaken.project import Project, Snapshot
from awaken.project.source.programs import module_store
from awaken.workspace.discovery import Root, find_files
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.targets import read_targets

FUNCTIONS = 300
LIMITS = {"one tree": 1, "usual": module_store.KEPT_SOURCE_BYTES, "no limit": sys.maxsize}


def functions(project: Project, paths: list[str]) -> list[tuple[str, int]]:
    """Return path and offset of functions of `paths`, drawn by a seed."""
    found = []
    for path in random.Random(11).sample(sorted(paths), min(len(paths), FUNCTIONS)):
        module = project.module(path)
        found += [
            (path, module.span(node).start)
            for node in (module.walk() if module else ())
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    return random.Random(12).sample(found, min(len(found), FUNCTIONS))


def answers(project: Project, asked: list[tuple[str, int]]) -> list[object]:
    """Return the callers of each function."""
    found = []
    for path, start in asked:
        module = project.module(path)
        node = next(
            one
            for one in module.walk()
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            and module.span(one).start == start
        )
        found.append(project.calls.callers_of(module, node))
    return found


def main() -> int:
    """Print one row for each program."""
    failed = False
    print("| program | functions | answers that differ |\n|---|---:|---|")
    for argument in sys.argv[1:]:
        root = Path(argument).resolve()
        paths = find_files(Root(root)).files
        files = FileReader(root, paths).sources()
        targets = read_targets(root, None, {}, {})
        asked: list[tuple[str, int]] = []
        found = {}
        for name, limit in LIMITS.items():
            module_store.KEPT_SOURCE_BYTES = limit
            project = Project(Snapshot(files), targets)
            asked = asked or functions(project, list(files))
            found[name] = answers(project, asked)
        usual = found.pop("usual")
        differing = {
            name: sum(one != other for one, other in zip(usual, rows, strict=True))
            for name, rows in found.items()
        }
        failed |= any(differing.values())
        shown = ", ".join(f"{name}: {count}" for name, count in differing.items())
        print(f"| {root.name} | {len(asked)} | {shown} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

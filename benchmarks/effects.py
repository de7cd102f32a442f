"""Ask for the effects of every function of a program, and count what is answered.

`python benchmarks/effects.py DIRECTORY [coroutines]` prints one Markdown table: on what each
function blocks, how long it took and how much memory was used.
"""

from __future__ import annotations

import ast
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from awaken.project import Project, Snapshot
from awaken.workspace.sources import decode

_REASONS = 8
WANTED = {"functions": b"def ", "coroutines": b"async def "}
KINDS = {
    "functions": (ast.FunctionDef, ast.AsyncFunctionDef),
    "coroutines": (ast.AsyncFunctionDef,),
}


def read(directory: Path) -> Project:
    """Return the project of all Python files below a directory."""
    paths = sorted(directory.rglob("*.py"))
    named = [(path.relative_to(directory).as_posix(), path) for path in paths]
    return Project(Snapshot({name: decode(name, path.read_bytes()) for name, path in named}), None)


def main() -> None:
    """Ask everything of one program."""
    kind = sys.argv[2] if len(sys.argv) > 2 else "functions"  # noqa: PLR2004
    start = time.perf_counter()
    project = read(Path(sys.argv[1]))
    ready = time.perf_counter()
    blocks, why = Counter[str](), Counter[str]()
    asked = 0
    spent = 0.0
    for path in project.files_with([WANTED[kind]]):
        module = project.module(path)
        if module is None:
            continue
        for node in module.walk():
            if not isinstance(node, KINDS[kind]):
                continue
            asked += 1
            began = time.perf_counter()
            blocking = project.effects.blocking_calls(module, node)
            spent += time.perf_counter() - began
            why.update({" ".join(one.why.split("`")[::2]) for one in blocking.unknown[:1]})
            blocks["blocks"] += bool(blocking.known)
            blocks["all calls known"] += not blocking.unknown
            blocks.update({one.waits_for for one in blocking.known})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"| {kind} | {asked} |\n| --- | --- |")
    print(f"| read | {ready - start:.1f} s |")
    print(f"| blocks | {spent:.1f} s |")
    print(f"| memory | {memory:.0f} MB |")
    for counter in (blocks, why):
        for name, number in counter.most_common(_REASONS):
            print(f"| {name} | {number} ({number / max(asked, 1):.0%}) |")


if __name__ == "__main__":
    main()

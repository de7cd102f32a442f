"""Whether joins over facts contradict the evaluator on whole programs, and how much they answer.

    python benchmarks/joins.py PROGRAM [EVERY]

Every EVERY-th call of a function of the program by its name is asked about (default 7): first of
the join, then of the evaluator. Prints how many answers agree, how many the evaluator does not
know, and each that differs; ends with 1 if one does.
"""

from __future__ import annotations

import ast
import sys
import time
from collections import Counter
from pathlib import Path

from awaken.project import Project, Snapshot
from awaken.project.store.joins import Joins
from awaken.project.values.domain import Unknown
from awaken.workspace.sources import Undecodable, decode


def main(root: Path, every: int = 7) -> int:
    sources = {}
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        try:
            sources[path] = decode(path, file.read_bytes())
        except (OSError, Undecodable):
            continue
    project = Project(Snapshot(sources), None)
    joins, told, number, seconds = Joins(project._names), Counter[str](), 0, 0.0  # noqa: SLF001  joins are no part of its face
    for path in sorted(sources):
        module = project.module(path)
        for node in list(module.walk()) if module is not None else ():
            if not isinstance(node, ast.Call):
                continue
            started = time.process_time()
            said = joins.gives_coroutine(module, node)
            seconds += time.process_time() - started
            number += said is not None
            if said is None or number % every:
                continue
            kind = project.effects.awaitable(module, node)
            if isinstance(kind, Unknown):
                told["unknown to the evaluator"] += 1
            elif (kind == "coroutine") == said:
                told[f"agree on {'yes' if said else 'no'}"] += 1
            else:
                told["contradict"] += 1
                print(f"{path}:{node.lineno}: join {said}, evaluator {kind}")
    print(
        f"{root.name}: {number} answers in {seconds:.1f} s, of {len(sources)} files; {dict(told)}"
    )
    return int(told["contradict"] > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))

"""Whether joins over facts contradict the evaluator on whole programs, and how much they answer.

    uv run python benchmarks/joins.py CORPUS [--download] [--most 200] [NAME ...]

The programs are five wheels of `yield_programs.toml`, or those that are named. Of the
calls that the join answers, 200 at most are asked of the evaluator.
Prints how many answers agree, how many the evaluator does not know, and each that differs; ends
with 1 if one does.
"""

from __future__ import annotations

import ast
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from measured_programs import directory_in, parsed, parser, programs

from awaken.project import Project, Snapshot
from awaken.project.source.modules import Module
from awaken.project.store.joins import Joins
from awaken.project.values.domain import Unknown
from awaken.workspace.sources import Undecodable, decode

WHEELS = ("ckan", "homeassistant", "keystone", "mlflow", "superset")


def contradictions(root: Path, most: int) -> int:
    """Print what joins and the evaluator say of a program; return how many answers differ."""
    sources = {}
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        try:
            sources[path] = decode(path, file.read_bytes())
        except (OSError, Undecodable):
            continue
    project = Project(Snapshot(sources), None)
    joins, started = Joins(project._names), time.process_time()  # noqa: SLF001  joins are no part of its face
    answers = list(_answers(project, joins, sorted(sources)))
    seconds, told = time.process_time() - started, Counter[str]()
    for module, call, said in answers[:: len(answers) // most + 1]:
        kind = project.effects.awaitable(module, call)
        if isinstance(kind, Unknown):
            told["unknown to the evaluator"] += 1
        elif (kind == "coroutine") == said:
            told[f"agree on {'yes' if said else 'no'}"] += 1
        else:
            told["contradict"] += 1
            print(f"{module.path}:{call.lineno}: join {said}, evaluator {kind}")
    print(f"{root.name}: {len(answers)} answers, {seconds:.1f} s with the trees; {dict(told)}")
    return told["contradict"]


def _answers(
    project: Project, joins: Joins, paths: Sequence[str]
) -> Iterator[tuple[Module, ast.Call, bool]]:
    """Yield the calls of which a join knows whether they give a coroutine."""
    for path in paths:
        module = project.module(path)
        for node in module.walk() if module is not None else ():
            if module is not None and isinstance(node, ast.Call):
                said = joins.gives_coroutine(module, node)
                if said is not None:
                    yield module, node, said


def main() -> None:
    """Read the command line, and compare on each program."""
    reader = parser("hold joins against the evaluator")
    reader.add_argument("--most", type=int, default=200, help="answers that are compared")
    arguments = parsed(reader, programs())
    wrong = 0
    for name in arguments.names or WHEELS:
        directory = directory_in(arguments.corpus, name, downloads=arguments.download)
        wrong += contradictions(directory, arguments.most)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

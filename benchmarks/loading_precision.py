"""Draw loads that awaken would add to a program, and see how many a test needs.

`python benchmarks/loading_precision.py DIRECTORY LOG` plans the loads of every read of which all
loads are known, draws at most 100 of them by a seed, and looks for the reads that they are for in a
log that relationship_log.py wrote in the program as it was. A load is needed if one of its reads
fired there; the tests need not execute the statement of another, so its number is a lower bound.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from loading_recall import Found, Judge, fired_in, found_of
from owners import read
from relationship_reads import line_of
from tables import percent, table

from awaken.kit.eager_loads import plan_loads
from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace

SEED = 1515
DRAWN = 100


class Added(NamedTuple):
    """A load that awaken adds, and the reads that it is for."""

    at: str
    text: str
    reads: tuple[Found, ...]


def added_to(project: Project) -> Iterator[Added]:
    """Yield the loads for all reads that are traced."""
    reads: dict[Trace, list[Read]] = {}
    for one in project.orm.reads.all():
        for trace in one.traces if one.is_traced else ():
            reads.setdefault(trace, []).append(one)
    for load in plan_loads("eager-load", project, list(reads)).added:
        line = line_of(project, load.place.path, load.place.span.start)
        wanted = [found_of(project, one) for trace in load.traces for one in reads[trace]]
        yield Added(f"{load.place.path}:{line}", load.text, tuple(dict.fromkeys(wanted)))


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="loads that awaken adds, and what the tests read")
    parser.add_argument("directory", type=Path)
    parser.add_argument("log", type=Path)
    arguments = parser.parse_args()
    added = sorted(added_to(read(arguments.directory)))
    drawn = random.Random(SEED).sample(added, min(DRAWN, len(added)))
    fired = fired_in(arguments.log)
    needed = set[int]()
    for number, one in enumerate(drawn):
        judge = Judge(one.reads)
        if any(judge.verdict(key, sight).is_found for key, sight in fired.items()):
            needed.add(number)
    counts = [len(added), len(drawn), len(needed), percent(len(needed), len(drawn))]
    print(
        table(["program", "added", "drawn", "read", "share"], [[arguments.directory.name, *counts]])
    )
    for number, one in enumerate(drawn):
        if number not in needed:
            print(f"- {one.at} {one.text}, for {one.reads[0].file}:{one.reads[0].first}")


if __name__ == "__main__":
    main()

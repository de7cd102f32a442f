"""Ask which relationships a program reads, and what loaded the objects there.

`python benchmarks/relationship_reads.py [--list] DIRECTORY...` prints one line for each program:
the declared sides, the reads of them, for how many the class of the object is known, for how many
of those all loads are known, the places that may read any attribute, and the user seconds. The most
frequent reasons for what is not known follow, or with ``--list`` each read.
"""

from __future__ import annotations

import re
import resource
import sys
from collections import Counter
from pathlib import Path

from owners import classes_by_attribute, read

from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.reads.domain import ANY, Read

_REASONS = 12


def line_of(project: Project, path: str, start: int) -> int:
    """Return the number of the line in which a byte of a file stands."""
    return project.snapshot[path].text.count(b"\n", 0, start) + 1


def told(project: Project, one: Read) -> str:
    """Return a read in one line."""
    at = f"{one.place.path}:{line_of(project, one.place.path, one.place.span.start)}"
    loads = []
    for trace in one.traces:
        place = trace.load.place
        line = line_of(project, place.path, place.span.start)
        way = ".".join(step.rpartition(".")[2] for step in trace.path)
        loads.append(f"{trace.load.kind} {place.path}:{line} {way}")
    why = [unknown.why for unknown in one.unknown]
    return f"{at} {one.how} {one.owner or '?'}.{one.attribute} <- {loads} {why or ''}"


def short(why: str) -> str:
    """Return a reason without the names in it."""
    return re.sub(r"`[^`]*`", "`..`", why)


def main() -> None:
    """Print the figures of each program."""
    listed = "--list" in sys.argv
    print("| program | sides | reads | owner known | traced | any | s | MB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name in (one for one in sys.argv[1:] if one != "--list"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        project = read(Path(name))
        found = project.orm.relationship_reads()
        reads = [one for one in found if one.attribute != ANY]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        sides = sum(map(len, classes_by_attribute(project).values()))
        known = [one for one in reads if one.owner]
        traced = [one for one in known if one.is_traced]
        seconds, peak = usage.ru_utime - before, usage.ru_maxrss // 1024
        counts = (
            f"{sides} | {len(reads)} | {len(known)} | {len(traced)} | {len(found) - len(reads)}"
        )
        print(f"| {Path(name).name} | {counts} | {seconds:.1f} | {peak} |", flush=True)
        if listed:
            print(*(told(project, one) for one in found), sep="\n")
            continue
        for title, group in (("owner", [one for one in reads if not one.owner]), ("load", known)):
            why = Counter(short(one.unknown[0].why) for one in group if one.unknown)
            for reason, count in why.most_common(_REASONS):
                print(f"  {title} {count:5d}  {reason}")


if __name__ == "__main__":
    main()

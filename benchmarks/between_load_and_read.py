"""Ask what may happen between loads and reads of relationships.

`python benchmarks/between_load_and_read.py [--list] DIRECTORY...` prints one line for each
program: the reads by kind, the traces by what may happen on them, and the user seconds of the
second question. The most frequent reasons for what is not known follow, or with ``--list`` each
trace.
"""

from __future__ import annotations

import resource
import sys
from collections import Counter
from pathlib import Path

from owners import read
from relationship_reads import line_of, short

from awaken.project import Project
from awaken.project.effects.places.events_between import Event
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace

_REASONS = 15


def told(project: Project, one: Read, trace: Trace, events: tuple[Event, ...]) -> str:
    """Return what may happen on one trace in one line."""
    places = [
        f"{event.kind} {event.place.path}:"
        f"{line_of(project, event.place.path, event.place.span.start)} {event.why}"
        for event in events
    ]
    load, at = trace.load.place, one.place
    start = f"{load.path}:{line_of(project, load.path, load.span.start)}"
    end = f"{at.path}:{line_of(project, at.path, at.span.start)}"
    return f"{trace.load.kind} {start} -> {end} {trace.path[-1]}: {places}"


def kinds_of(events: tuple[Event, ...]) -> str:
    """Return the kinds of events in one word."""
    kinds = sorted({one.kind for one in events})
    return "unknown" if "unknown" in kinds else " ".join(kinds) or "none"


def main() -> None:
    """Print the figures of each program."""
    listed = "--list" in sys.argv
    for name in (one for one in sys.argv[1:] if one != "--list"):
        project = read(Path(name))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        reads = project.orm.reads.all()
        middle = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        found = [
            (one, trace, project.orm.reads.between_load_and_read(trace, one))
            for one in reads
            for trace in one.traces
        ]
        seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime - middle
        kinds = Counter(one.how for one in reads)
        print(f"{Path(name).name}: {len(reads)} reads in {middle - before:.1f} s: {dict(kinds)}")
        ways = Counter(kinds_of(events) for _, _, events in found)
        print(f"  {len(found)} traces in {seconds:.1f} s: {dict(ways.most_common())}", flush=True)
        if listed:
            print(*(told(project, *one) for one in found), sep="\n")
        why = Counter(
            short(event.why)
            for _, _, events in found
            for event in events
            if event.kind == "unknown"
        )
        for reason, count in why.most_common(_REASONS):
            print(f"  {count:5d}  {reason}")


if __name__ == "__main__":
    main()

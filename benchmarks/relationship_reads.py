"""Ask which relationships a program reads, and what loaded the objects there.

`python benchmarks/relationship_reads.py [--list] DIRECTORY...` prints two lines for each program,
for its own code and for its tests: the reads, for how many the class of the object is known, for
how many of those all loads are known, and how these were found. They are of objects that the value
itself tells the loads of, that callers pass, or that something else reads than the line of the
program: a response model, a serialiser or a form, a template, or a proxy or a generated method. The
places that may read any attribute, the user seconds and the peak follow, then the most frequent
reasons for what is not known, or with ``--list`` each read.
"""

from __future__ import annotations

import re
import resource
import sys
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path

from owners import classes_by_attribute, read
from tables import row, table

from awaken.contract import Place
from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, How, Read, Trace
from awaken.project.frameworks.sqlalchemy.reads.tracing.tracing import Tracing
from awaken.project.values.domain import InstanceOf, Unknown

_REASONS = 12
TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
WAYS = ("value", "callers", "response", "schema", "template", "other")
READERS: dict[How, str] = {
    "response": "response",
    "schema": "schema",
    "template": "template",
    "proxy": "other",
    "generated": "other",
}
"""What reads in place of a line of the program, and its column."""


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


def in_test(one: Read) -> bool:
    """Whether a read stands in the tests."""
    return TESTS.search(one.place.path) is not None


def note_callers(passed: set[tuple[Place, str]]) -> None:
    """Note from now on each read of an object that a caller passes."""
    of = Tracing.traces_of

    def noted(
        self: Tracing, objects: Sequence[InstanceOf], attribute: str, place: Place
    ) -> tuple[tuple[Trace, ...], tuple[Unknown, ...]]:
        if any(origin.kind == "parameter" for one in objects for origin in one.origins or ()):
            passed.add((place, attribute))
        return of(self, objects, attribute, place)

    Tracing.traces_of = noted  # type: ignore[method-assign]


def counts(reads: Sequence[Read], passed: Container[tuple[Place, str]]) -> list[int]:
    """Return the columns of some reads."""
    named = [one for one in reads if one.attribute != ANY]
    known = [one for one in named if one.owner]
    traced = [one for one in known if one.is_traced]
    ways = Counter(
        READERS.get(one.how) or ("callers" if (one.place, one.attribute) in passed else "value")
        for one in traced
    )
    return [
        len(named),
        len(known),
        len(traced),
        *(ways[way] for way in WAYS),
        len(reads) - len(named),
    ]


def main() -> None:
    """Print the figures of each program."""
    listed = "--list" in sys.argv
    passed: set[tuple[Place, str]] = set()
    note_callers(passed)
    head = ["program", "sides", "reads", "owner known", "traced", *WAYS, "any", "s", "MB"]
    print(table(head, []))
    for name in (one for one in sys.argv[1:] if one != "--list"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        passed.clear()
        project = read(Path(name))
        found = project.orm.reads.all()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        sides = sum(map(len, classes_by_attribute(project).values()))
        seconds, peak = usage.ru_utime - before, usage.ru_maxrss // 1024
        own = [one for one in found if not in_test(one)]
        tests = [one for one in found if in_test(one)]
        title = Path(name).name
        print(row([title, sides, *counts(own, passed), f"{seconds:.1f}", peak]), flush=True)
        print(row([f"{title}, tests", "", *counts(tests, passed), "", ""]), flush=True)
        if listed:
            print(*(told(project, one) for one in found), sep="\n")
            continue
        named = [one for one in own if one.attribute != ANY]
        unknown = [one for one in named if not one.owner]
        untraced = [one for one in named if one.owner]
        for what, group in (("owner", unknown), ("load", untraced)):
            why = Counter(short(one.unknown[0].why) for one in group if one.unknown)
            for reason, count in why.most_common(_REASONS):
                print(f"  {what} {count:5d}  {reason}")


if __name__ == "__main__":
    main()

"""Compare the reads that awaken finds with those that fire in a program's own tests.

`python benchmarks/loading_recall.py [--missed FILE] DIRECTORY LOG` prints one line for a program
and a log that relationship_log.py wrote in it. One read is a file, a line, a class and an
attribute. It is found if awaken has a read of that attribute there with the class of the object,
seen if it has one at all, and traced if it also knows all loads of it. A missed read does harm
only if awaken could set the relationship to raise: no other read of it is held back, and none of
that name has an object of unknown class. ``--missed`` writes the missed ones to a file, by reason.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

from owners import read
from relationship_reads import TESTS, line_of, short
from tables import percent, table

from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.reads.read_facts import How, Read

INDIRECT: dict[str, tuple[How, ...]] = {
    "pydantic": ("response", "schema"),
    "fastapi": ("response",),
    "marshmallow": ("schema",),
    "wtforms": ("schema",),
    "jinja2": ("template",),
    "sqlalchemy.ext.associationproxy": ("proxy",),
    "<string>": ("generated",),
}
"""What reads for the program, in place of a line of it, and what awaken calls such a read."""


class Fired(NamedTuple):
    """A read that fired."""

    file: str
    line: int
    owner: str
    attribute: str


class Sight(NamedTuple):
    """How a read looked when it fired: the function, what was called between, and how often."""

    function: str
    via: tuple[str, ...]
    classes: frozenset[str]
    count: int
    test: str


class Found(NamedTuple):
    """A read that awaken finds, with the lines on which it stands."""

    file: str
    first: int
    last: int
    owner: str
    attribute: str
    how: How
    is_traced: bool
    why: str


class Verdict(NamedTuple):
    """What awaken knows of one read that fired; `why` says what it does not know.

    It is seen if the place is known, be it without the class of the object.
    """

    is_seen: bool
    is_found: bool
    is_traced: bool
    is_held: bool
    why: str


def simple(qualified: str) -> str:
    """Return the last part of a name; packages are named by where the tests start."""
    return qualified.rpartition(".")[2]


def fired_in(log: Path) -> dict[Fired, Sight]:
    """Return the distinct reads of a log."""
    found: dict[Fired, Sight] = {}
    for row in map(json.loads, log.read_text("utf-8").splitlines()):
        file = normpath(row["file"]) if row["file"] else ""
        key = Fired(file, row["line"], simple(row["owner"]), row["attribute"])
        # Older logs name the class alone; its letters would be classes, and "." one without a name.
        of = [row["of"]] if isinstance(row["of"], str) else row["of"]
        classes = frozenset(map(simple, [row["owner"], *of]))
        before = found.get(key)
        count = row["count"] + (before.count if before else 0)
        classes |= before.classes if before else frozenset()
        via = tuple(row["via"])
        found[key] = Sight(row["function"], via, classes, count, row["tests"][0])
    return found


def found_of(project: Project, one: Read) -> Found:
    """Return a read with the lines on which it stands."""
    span = one.place.span
    lines = [line_of(project, one.place.path, at) for at in (span.start, span.end)]
    why = one.unknown[0].why if one.unknown else ""
    place = (one.place.path, lines[0], lines[1], simple(one.owner), one.attribute)
    return Found(*place, one.how, one.is_traced, why)


class Judge:
    """Compares reads with what awaken finds in one program."""

    def __init__(self, reads: Iterable[Found]) -> None:
        self._by_attribute: dict[str, list[Found]] = {}
        for one in reads:
            self._by_attribute.setdefault(one.attribute, []).append(one)

    def verdict(self, key: Fired, sight: Sight) -> Verdict:
        """Return what awaken knows of a read that fired."""
        near = self._by_attribute.get(key.attribute, [])
        of_class = [one for one in near if one.owner in sight.classes]
        is_held = any(not one.is_traced for one in of_class) or any(not one.owner for one in near)
        there = [one for one in of_class if is_at(one, key)]
        hows = {how for name in sight.via for how in INDIRECT.get(name, ())}
        there = there or [one for one in of_class if one.how in hows]
        if there:
            held = next((one.why for one in there if not one.is_traced), "")
            return Verdict(
                True, True, not held and all(one.is_traced for one in there), is_held, held
            )
        unknown = [one.why for one in near if is_at(one, key)]
        why = unknown[0] if unknown else "not found at all"
        return Verdict(bool(unknown), False, False, is_held, why)


def is_at(one: Found, key: Fired) -> bool:
    """Whether a read that awaken finds stands where one fired.

    Jinja knows the line of a statement only, which may begin far above.
    """
    if one.file != key.file or one.how == "template":
        return one.file == key.file
    return one.first <= key.line <= one.last


def is_test(key: Fired) -> bool:
    """Whether a read stands in the tests."""
    return TESTS.search(key.file) is not None


def row(name: str, verdicts: list[Verdict]) -> list[object]:
    """Return a row of the table for a group of reads."""
    seen = [one for one in verdicts if one.is_seen]
    found = [one for one in verdicts if one.is_found]
    traced = [one for one in found if one.is_traced]
    missed = [one for one in verdicts if not one.is_found]
    harmless = [one for one in missed if one.is_held]
    counts = [len(verdicts), len(seen), len(found), percent(len(found), len(verdicts))]
    traces = [len(traced), percent(len(traced), len(verdicts))]
    return [name, *counts, *traces, len(harmless), len(missed) - len(harmless)]


def told(root: Path, missed: dict[Fired, tuple[Sight, Verdict]]) -> Iterator[str]:
    """Yield the missed reads, the most frequent reasons first."""
    reasons = Counter(short(verdict.why) for _, verdict in missed.values())
    for reason, count in reasons.most_common():
        yield f"\n## {reason} ({count})\n"
        for key, (sight, verdict) in missed.items():
            if short(verdict.why) != reason:
                continue
            harm = "held anyway" if verdict.is_held else "HARM"
            by = " < ".join(one for one in sight.via if one != "sqlalchemy")
            at = f"{key.file or '(no line)'}:{key.line} in {sight.function}"
            yield f"- {key.owner}.{key.attribute} at {at}, {sight.count} times, {harm}; {by}"
            yield f"  - `{code(root, key)}`; {verdict.why}; {sight.test}"


def code(root: Path, key: Fired) -> str:
    """Return the line that read."""
    if not key.file:
        return ""
    lines = (root / key.file).read_text("utf-8", "replace").splitlines()
    return lines[key.line - 1].strip() if key.line <= len(lines) else ""


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="reads found against reads that fire")
    parser.add_argument("directory", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--missed", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    fired = fired_in(arguments.log)
    project = read(arguments.directory)
    judge = Judge([found_of(project, one) for one in project.orm.reads.all()])
    verdicts = {key: judge.verdict(key, sight) for key, sight in fired.items()}
    own = [verdict for key, verdict in verdicts.items() if not is_test(key)]
    tests = [verdict for key, verdict in verdicts.items() if is_test(key)]
    name = arguments.directory.name
    columns = ["program", "fired", "seen", "found", "share", "traced", "share", "held", "harm"]
    print(table(columns, [row(name, own), row(f"{name}, tests", tests)], words=1))
    if arguments.missed:
        missed = {
            key: (fired[key], verdict)
            for key, verdict in verdicts.items()
            if not verdict.is_found and not is_test(key)
        }
        lines = [f"# Missed reads of {name}: {len(missed)} of {len(own)}"]
        arguments.missed.write_text("\n".join([*lines, *told(arguments.directory, missed)]) + "\n")


if __name__ == "__main__":
    main()

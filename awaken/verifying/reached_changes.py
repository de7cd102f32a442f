"""The tests that reach each change of a verification, and the statements that it sends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from awaken.contract import SiteId
from awaken.engine.asking.chosen_changes import ChangeKey
from awaken.engine.report import RootReport
from awaken.verifying.blame import ChangedLines, prefix_of
from awaken.verifying.sufficient_runs import Difference, Sql
from awaken.verifying.suites import Line, ObservedTest
from awaken.verifying.verify_changes import Verification


class ReachingTest(Struct, frozen=True):
    """A test that runs a line of a change: its results, and how its statements compare."""

    name: str
    before: str
    after: str
    sql: Sql


class Reach(Struct, frozen=True):
    """The tests that reach one change, and how.

    ``before`` and ``after`` are the statements that ``tests`` send from its lines, each once.
    ``partly`` says in a clause which functions of it no test runs, where some are run; ``missed``
    are the sites in those.
    ``is_imported`` says that a line of it runs when its file is imported; ``has_lines`` is false of
    a change that leaves no line of its own, such as one that only removes some.
    """

    tests: tuple[ReachingTest, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    is_imported: bool = False
    has_lines: bool = True
    partly: str = ""
    missed: frozenset[SiteId] = frozenset()


def reaches(result: Verification) -> dict[ChangeKey, Reach]:
    """Return what the tests do at each change that held; nothing where pytest did not run."""
    if not (result.before.observed and result.after.observed):
        return {}
    known = {difference.before.name: difference for difference in result.differences}
    by_line: defaultdict[Line, list[ObservedTest]] = defaultdict(list)
    for test in result.after.tests.values():
        for line in test.lines:
            by_line[line].append(test)
    partly = {(x.root, x.change.id): x for x in result.not_exercised if x.is_partly_run}
    found: dict[ChangeKey, Reach] = {}
    for root in result.report.roots:
        prefix = prefix_of(root)
        changed = ChangedLines(root, prefix)
        edited = _edited_lines(root, prefix)
        for change in root.changes:
            lines = changed.lines_of(change.id)
            tests = {test.name: test for line in sorted(lines) for test in by_line[line]}
            earlier = [result.before.tests[name] for name in tests if name in result.before.tests]
            rest = partly.get((root.root, change.id))
            found[root.root, change.id] = Reach(
                tests=tuple(_reaching(test, result, known) for test in tests.values()),
                before=_statements(earlier, edited[change.id]),
                after=_statements(tests.values(), lines),
                is_imported=not result.after.imported.isdisjoint(lines),
                has_lines=bool(lines),
                partly=str(rest or ""),
                missed=frozenset(item.site for item in rest.findings) if rest else frozenset(),
            )
    return found


def _reaching(
    test: ObservedTest, result: Verification, known: Mapping[str, Difference]
) -> ReachingTest:
    before = result.before.tests.get(test.name)
    if before is None:
        return ReachingTest(test.name, "did not run", test.result, Sql.SAME)
    # Values that vary from run to run are not differences.
    sql = known[test.name].sql if test.name in known else Sql.SAME
    return ReachingTest(test.name, before.result, test.result, sql)


def _statements(tests: Iterable[ObservedTest], lines: Collection[Line]) -> tuple[str, ...]:
    """Return the statements that were sent from one of ``lines``, each once."""
    return tuple(
        dict.fromkeys(
            statement.text
            for test in tests
            for statement in test.statements
            if any(line in lines for line in statement.lines)
        )
    )


def _edited_lines(root: RootReport, prefix: str) -> Mapping[str, set[Line]]:
    """Return the lines before the run that each change edits."""
    texts = {file.path: file.before.text for file in root.files if file.before is not None}
    edited_lines: defaultdict[str, set[Line]] = defaultdict(set)
    for place in root.edited:
        if place.place.path in texts:
            text, span = texts[place.place.path], place.place.span
            first = text.count(b"\n", 0, span.start) + 1
            last = first + text.count(b"\n", span.start, span.end)
            path = f"{prefix}{place.place.path}"
            edited_lines[place.change] |= {(path, line) for line in range(first, last + 1)}
    return edited_lines

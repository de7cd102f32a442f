"""The result of a verification, on a console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from awaken.contract import Finding
from awaken.engine.report import RootReport
from awaken.preview.console.page import Page, joined_text
from awaken.preview.counts import changed_files, clauses, plural, rewritten, rewritten_sites
from awaken.preview.report_places import Places
from awaken.preview.streams.course import Course
from awaken.preview.streams.visible import visible
from awaken.verifying.blame import ChangedLines, pointed_at, prefix_of
from awaken.verifying.exercised import Functions
from awaken.verifying.reached_changes import reaches
from awaken.verifying.sufficient_runs import Difference, Sql
from awaken.verifying.suites import Line
from awaken.verifying.verify_changes import LeftOut, Verification

if TYPE_CHECKING:
    from awaken.preview.console.plain_console import AnyConsole

_LISTED = 10
"""Tests and places of one list; beyond, their number."""
_ONLY_EXIT_CODE = (
    "Only the exit code was compared, because pytest did not run here. Single tests, SQL and the "
    "sites that a test reaches are unknown."
)


def print_verification(result: Verification, console: AnyConsole, *, applied: bool) -> None:
    """Print what was compared, what differs, which changes were left out, and what no test runs."""
    page = Page(console)
    page.hanging(joined_text([("Before  ", "faint")]), _outcomes(result, before=True))
    page.hanging(joined_text([("After   ", "faint")]), _outcomes(result, before=False))
    if result.before.observed:
        page.hanging(joined_text([("SQL     ", "faint")]), _sql(result))
    for sentence in _remarks(result):
        page.sentence(sentence)
    for left in result.left_out:
        _print_left_out(left, page)
    if result.flaky:
        listed = ", ".join(result.flaky[:_LISTED])
        page.sentence(f"Flaky, so not compared: {listed}{_more(result.flaky)}.")
    _print_differences(result, page)
    _print_not_exercised(result, page)
    for note in result.notes:
        page.sentence(visible(note))
    page.row()
    page.sentence(verdict(result, applied=applied))


def course_of(result: Verification, *, applied: bool) -> Course:
    """Return how a verification went, for its page: what the tests say, and do at each change."""
    rows = verified_rows(result, every=True)
    rows += _remarks(result)
    rows += [f"flaky, so not compared: {name}" for name in result.flaky]
    rows += [f"{item.before.name}: {_differs(item)}" for item in result.differences]
    return Course(
        verdict=verdict(result, applied=applied),
        tests=(*rows, *result.notes),
        reaches={(0, *key): reach for key, reach in reaches(result).items()},
    )


def _remarks(result: Verification) -> Iterator[str]:
    """Yield what was not compared."""
    if not result.before.observed:
        yield _ONLY_EXIT_CODE
        if result.output_differs:
            yield "The output differs; look at it."
    rest = len(result.before.tests) - len(result.selected or result.before.tests)
    if rest:
        yield f"{plural(rest, 'test')} reached no changed file and ran once; --all runs all."


def _outcomes(result: Verification, *, before: bool) -> str:
    run = result.before if before else result.after
    counted = Counter(test.outcome for test in run.tests.values())
    # Answers to requests come after the outcomes of tests.
    ordered = sorted(counted.most_common(), key=lambda item: item[0].startswith("answered"))
    listed = ", ".join(f"{number:,} {outcome}" for outcome, number in ordered)
    ended = "" if run.exit_code is not None else "; the tests did not end"
    return f"{listed or 'no test ran'} in {run.seconds:.1f} s{ended}"


def _sql(result: Verification) -> str:
    number = sum(test.count for test in result.before.tests.values())
    if not number:
        return "no statement was sent by SQLAlchemy, so only results are compared"
    kinds: Counter[Sql] = Counter(
        [difference.sql for difference in result.differences if difference.sql is not Sql.SAME]
    )
    ran = result.before.tests if result.selected is None else result.selected
    same = len(ran) - sum(kinds.values()) - len(result.varying)
    listed = "".join(f"; {kind.value} in {kinds[kind]:,}" for kind in Sql if kinds[kind])
    varying = len(result.varying)
    chance = f"; in {varying:,} they differ from run to run without any change" if varying else ""
    return f"{plural(number, 'statement')}: the same in {plural(same, 'test')}{listed}{chance}"


def verified_rows(result: Verification, *, every: bool = False) -> list[str]:
    """Return what the tests said: their results before and after, and what they do not show.

    Only with ``every`` all places are listed.
    """
    rows = [
        f"before: {_outcomes(result, before=True)}",
        f"after: {_outcomes(result, before=False)}",
    ]
    if result.before.observed:
        rows.append(f"SQL: {_sql(result)}")
    rows += [_left_out(item) for item in result.left_out]
    limit = None if every else _LISTED
    if result.unreached_sites:
        places = _places(result, with_message=False)
        listed = f"{', '.join(places[:limit])}{'' if every else _more(places)}"
        rows.append(f"not exercised: {plural(result.unreached_sites, 'site')} ({listed})")
    partly = _partly_run(result)
    rows += [f"partly exercised: {name}" for name in partly[:limit]]
    if not every and len(partly) > _LISTED:
        rows.append(f"partly exercised: {plural(len(partly) - _LISTED, 'other')}")
    return rows


def _partly_run(result: Verification) -> list[str]:
    """Return which functions of changes did not run, once for all changes of the same ones."""
    partly = (candidate for candidate in result.not_exercised if candidate.is_partly_run)
    return list(dict.fromkeys(f"{item.change.rule}: {item}" for item in partly))


def stops(result: Verification) -> str:
    """Return why no change of a run may be written."""
    left = result.whole
    if left is None:
        return "Not verified: tests fail, and no change alone is guilty. Nothing was written."
    return (
        f"Not verified: with {left.change.rule} {plural(len(left.tests), 'test')} failed, the "
        f"first by {left.why}{_where(result, left)}. It is made as a whole or not at all. "
        "Nothing was written."
    )


def _where(result: Verification, left: LeftOut) -> str:
    """Return the place of a change that a failure points at, empty where nothing does.

    What a rewritten line leaves undone, such as an `await`, may fail further down in its function.
    """
    root = next(root for root in result.report.roots if root.root == left.root)
    prefix = prefix_of(root)
    lines = ChangedLines(root, prefix).lines_of(left.change.id)
    pointed = [(place, test.before.name) for test in left.tests for place in pointed_at(test)]
    # A test sees what goes wrong, and is seldom where it does.
    pointed.sort(key=lambda pair: pair[1].startswith(f"{pair[0][0]}::"))
    texts = {f"{prefix}{file.path}": file.after.text for file in root.files}
    for (path, line), _ in pointed:
        if (path, line) in lines:
            return f", at {_display_line((path, line))} after the changes"
        names = Functions(texts.get(path, b"")).names
        above = [n for other, n in lines if other == path and n < line and n in names]
        above = [n for n in above if names[n] == names.get(line)]
        if above:
            place = _display_line((path, line))
            return f", at {place} after the changes, below line {max(above)} of them"
    return ""


def _display_line(place: Line) -> str:
    return f"{visible(place[0])}:{place[1]}"


def _print_left_out(left: LeftOut, page: Page) -> None:
    name = visible(left.change.rule)
    page.sentence(
        ("left out ", "error"), (name, "code.name"), f": {_left_out(left)[len(name) + 12 :]}"
    )


def _left_out(left: LeftOut) -> str:
    names = [test.before.name for test in left.tests]
    others = f" and {plural(len(names) - 1, 'other test')}" if len(names) > 1 else ""
    return (
        f"left out: {visible(left.change.rule)}: {left.change.title} "
        f"({', '.join(left.change.paths)}). With it {names[0]}{others} failed: {left.why}"
    )


def _print_differences(result: Verification, page: Page) -> None:
    failures = [candidate for candidate in result.differences if candidate.is_failure]
    others = [d for d in result.differences if not d.is_failure and d.sql is not Sql.COLUMNS]
    for some in (failures, others):
        for difference in some[:_LISTED]:
            page.sentence((visible(difference.before.name), "path"), f": {_differs(difference)}")
        if len(some) > _LISTED:
            page.sentence(f"and {plural(len(some) - _LISTED, 'other test')}")


def _print_not_exercised(result: Verification, page: Page) -> None:
    if result.unreached_sites:
        sites = plural(result.unreached_sites, "site")
        page.sentence(f"Not exercised: no test reaches {sites}.")
        places = _places(result, with_message=True)
        for where in places[:_LISTED]:
            page.row(f"  {where}")
        if len(places) > _LISTED:
            page.row(f"  and {plural(len(places) - _LISTED, 'other')}")
    partly = _partly_run(result)
    for name in partly[:_LISTED]:
        page.sentence(f"Partly exercised: {visible(name)}.")
    if len(partly) > _LISTED:
        page.row(f"and {plural(len(partly) - _LISTED, 'other')}")


def _places(result: Verification, *, with_message: bool) -> list[str]:
    roots = {root.root: root for root in result.report.roots}
    return [
        _place(roots[item.root], finding, with_message=with_message)
        for item in result.not_exercised
        for finding in item.findings
    ]


def _place(root: RootReport, finding: Finding, *, with_message: bool) -> str:
    path, region = Places(Path.cwd()).location_of(root, finding.place)
    return visible(
        f"{path}:{region.line}{f': {clauses(finding.message)[0]}' if with_message else ''}"
    )


def _differs(one: Difference) -> str:
    if not one.is_failure:
        return f"SQL is {one.sql.value}"
    after = "did not run" if one.after is None else one.after.result
    return f"{one.before.result} before, {after} after"


def _more(names: Sequence[object]) -> str:
    return f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""


def verdict(result: Verification, *, applied: bool) -> str:
    """Return in a sentence or two what held, and whether it is written."""
    sites, files = rewritten_sites(result.report), changed_files(result.report)
    what = rewritten(result.report, Path.cwd()).words()
    if result.unexplained:
        return stops(result)
    if not files:
        return "Nothing held: every change was left out."
    if not result.before.observed:
        held = f"{what} held by the exit code"
        return f"{held}; they are written." if applied else f"{held}. Add --apply to write them."
    held = f"{what} held, {sites - result.unreached_sites:,} of them reached by a test"
    return f"{held}; they are written." if applied else f"{held}. Add --apply to write them."

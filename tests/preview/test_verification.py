"""What a verification prints, by results that are made by hand."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from msgspec import structs

from awaken.contract import ChangeId
from awaken.engine.report import EditedPlace, Report
from awaken.preview.choices import Color
from awaken.preview.console.plain_console import console_on
from awaken.preview.html.report_page import write
from awaken.preview.streams.output import Asked
from awaken.preview.verification import course_of, print_verification, stops, verdict, verified_rows
from awaken.verifying.exercised import NotExercised
from awaken.verifying.sufficient_runs import Difference, Sql
from awaken.verifying.suites import ObservedTest, Statement, SuiteRun
from awaken.verifying.verify_changes import LeftOut, Verification
from tests.preview.report_builders import file_change, finding, root_report, source

BEFORE = b"first(1)\nsecond(2)\n"


def ran(*tests):
    return SuiteRun({one.name: one for one in tests}, 0, 1.0, {}, frozenset(), "")


def verification(**values):
    file = source("shop.py", BEFORE)
    sites = tuple(finding(file, text, change=ChangeId("all")) for text in ("first", "second"))
    root = root_report(
        Path("/shop"), file_change("shop.py", BEFORE, BEFORE.upper(), sites), edited=()
    )
    report = Report(roots=(root,), rules=("query-to-select",))
    before = ran(ObservedTest("test_a", "passed"))
    return Verification(report, before, before, **values)


def printed(result):
    stream = io.StringIO()
    print_verification(result, console_on(stream, Color.NEVER), applied=False)
    return stream.getvalue()


def partly(result, *, functions, missed):
    (root,) = result.report.roots
    return NotExercised(root.root, root.changes[0], functions, missed, 1, root.findings[1:])


@pytest.mark.parametrize(
    ("number", "said"), [(17, "and 7 other tests"), (11, "and 1 other test\n")]
)
@pytest.mark.parametrize("sql", [Sql.SAME, Sql.MORE])
def test_tests_beyond_ten_are_counted(number, said, sql):
    tests = [ObservedTest(f"test_{each}", "passed") for each in range(number)]
    after = [ObservedTest(one.name, "passed" if sql is Sql.MORE else "failed") for one in tests]
    pairs = zip(tests, after, strict=True)
    differences = tuple(Difference(one, then, sql) for one, then in pairs)

    text = printed(verification(differences=differences))

    assert text.count("test_") == 10
    assert said in text


def test_ten_tests_are_all():
    tests = [ObservedTest(f"test_{each}", "passed") for each in range(10)]

    assert "other test" not in printed(
        verification(differences=tuple(Difference(one, None) for one in tests))
    )


def test_a_change_of_which_a_part_is_run_says_which_functions_are_not():
    result = verification()
    one = partly(result, functions=3, missed=("f (shop.py)", "g (shop.py)"))
    result = verification(not_exercised=(one,))
    said = "query-to-select: 1 of 3 changed functions ran, but not f (shop.py), g (shop.py)"

    text = printed(result)

    assert f"Partly exercised: {said}." in text
    assert "Not exercised: no test reaches 1 site." in text
    assert "2 sites in 1 file held, 1 of them reached by a test" in text
    assert f"partly exercised: {said}" in verified_rows(result)
    assert f"partly exercised: {said}" in course_of(result, applied=False).tests


def test_the_page_says_at_a_site_that_no_test_reaches_its_function():
    plain = verification()
    one = partly(plain, functions=2, missed=("f (shop.py)",))
    result = structs.replace(plain, not_exercised=(one,))
    course = course_of(result, applied=False)

    page = b"".join(write(result.report, Asked("verify", Path(), course=course))).decode()

    assert page.count("No test reaches its function.") == 1
    assert page.count("The change is partly exercised: 1 of 2 changed functions ran") == 1
    assert (
        "No test reaches its function."
        not in b"".join(
            write(plain.report, Asked("verify", Path(), course=course_of(plain, applied=False)))
        ).decode()
    )


def test_a_change_that_is_not_run_at_all_is_not_called_partly_exercised():
    result = verification()
    one = partly(result, functions=2, missed=("f (shop.py)", "g (shop.py)"))

    text = printed(verification(not_exercised=(one,)))

    assert "Partly" not in text
    assert "Not exercised: no test reaches 1 site." in text


def test_functions_of_changes_beyond_ten_are_counted_once():
    result = verification()
    missed = [f"f{number} (shop.py)" for number in range(12)]
    many = tuple(partly(result, functions=2, missed=(name,)) for name in (*missed, missed[0]))

    rows = verified_rows(verification(not_exercised=many))

    assert sum("changed functions ran" in row for row in rows) == 10
    assert rows[-1] == "partly exercised: 2 others"
    assert "and 2 others" in printed(verification(not_exercised=many))
    assert verdict(verification(not_exercised=many[:1]), applied=True).endswith("they are written.")


def test_what_a_change_leaves_undone_is_named_before_what_it_does_right():
    text = b"def add(db):\n    old()\n    db.commit()\n\n\ndef read(db):\n    old()\n"
    file = source("shop.py", text)
    # One change wrote both calls, and forgot to await the commit between them.
    found = finding(file, text.decode(), change=ChangeId("all"))
    after = text.replace(b"old", b"new")
    change = file_change("shop.py", text, after, (found,))
    edits = (EditedPlace(place=found.place, change=ChangeId("all")),)
    root = root_report(Path("/shop"), change, edited=edits)
    failed = ObservedTest(
        "test_shop.py::test_it",
        "failed",
        "AssertionError",
        frames=(("shop.py", 3), ("test_shop.py", 9)),
        statements=(Statement("SELECT", (("shop.py", 7),)),),
    )
    difference = Difference(ObservedTest(failed.name, "passed"), failed)
    left = LeftOut(root.root, root.changes[0], (difference,), failed.result)

    report = Report((root,), ("query-to-select",))
    said = stops(structs.replace(verification(whole=left), report=report))

    assert "at shop.py:3 after the changes, below line 2 of them" in said

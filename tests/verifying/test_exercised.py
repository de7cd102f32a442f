"""How much of a change the tests run, by the functions that it writes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from awaken.contract import ChangeId
from awaken.verifying.exercised import Functions, not_exercised
from tests.preview.report_builders import file_change, finding, root_report, source

BEFORE = b"""\
def first(db):
    return old_1(db)


class Shop:
    @route
    def second(self, db):
        return old_2(db)

    def third(self, db):
        return old_3(db)


table = old_4()
"""
AFTER = BEFORE.replace(b"old_", b"new_")
EVERYTHING = {2, 8, 11, 14}


def report(after=AFTER):
    """Return a root in which one change writes all that is new."""
    file = source("shop.py", BEFORE)
    sites = [b"old_1", b"route", b"old_3", b"old_4"]
    found = tuple(
        finding(file, text.decode(), site=text.decode(), change=ChangeId("all")) for text in sites
    )
    root = root_report(Path("/shop"), file_change("shop.py", BEFORE, after, found))
    (change, *_) = root.changes
    change = structs.replace(change, sites=tuple(one.site for one in found))
    return structs.replace(root, changes=(change,))


def judged(*reached, lines=EVERYTHING, after=AFTER):
    own = SimpleNamespace(lines_of=lambda _change: {("shop.py", line) for line in lines})
    return list(not_exercised(report(after), own, {("shop.py", line) for line in reached}))


def test_a_change_of_which_a_part_is_not_run_names_the_functions():
    (one,) = judged(2, 14)

    assert one.is_partly_run
    assert (one.functions, one.missed) == (3, ("Shop.second (shop.py)", "Shop.third (shop.py)"))
    assert [found.site for found in one.findings] == ["route", "old_3"]
    assert one.sites == 2
    assert str(one) == (
        "1 of 3 changed functions ran, but not Shop.second (shop.py), Shop.third (shop.py)"
    )


def test_a_change_of_which_all_functions_run_is_exercised():
    assert not judged(2, 8, 11)


def test_lines_that_run_on_import_are_not_those_of_functions():
    (one,) = judged(14)

    assert not one.is_partly_run
    assert one.sites == len(one.findings) == 4


@pytest.mark.parametrize(("reached", "number"), [([14], 0), ([], 1)])
def test_a_change_outside_of_functions_is_run_by_one_of_its_lines(reached, number):
    assert len(judged(*reached, lines={14})) == number


def test_lines_that_no_statement_has_say_nothing_of_a_function():
    after = AFTER.replace(b"    def third", b"    # a new comment\n    def third")

    assert not judged(2, 8, lines={2, 8, 10}, after=after)


def test_a_change_without_lines_of_its_own_is_not_judged():
    assert not judged(lines=())


def test_three_functions_are_named_and_the_others_counted():
    after = b"".join(b"def f%d():\n    return %d\n" % (each, each) for each in range(7))

    (one,) = judged(2, lines={2, 4, 6, 8, 10, 12, 14}, after=after)

    assert str(one) == (
        "1 of 7 changed functions ran, but not f1 (shop.py), f2 (shop.py), f3 (shop.py) and 3 more"
    )


def test_a_text_that_is_no_python_has_no_functions():
    assert not Functions(b"def f(:\n").names

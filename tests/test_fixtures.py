"""Every case gives the program and the findings that it expects, and does the same as before."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from fixture_cases import CASES, FIXTURES, costly, result_of

from awaken.testing import (
    Executor,
    accept,
    assert_expected,
    assert_same_behaviour,
    assert_same_concurrency,
    assert_same_lifecycle,
    assert_same_suite,
    load_cases,
    run_case,
)
from awaken.testing.running import naming_case

ROWS = tomllib.loads((Path(__file__).parent / "data" / "spec_rows.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def executor():
    with Executor() as executor:
        yield executor


@pytest.mark.parametrize("identifier", CASES)
def test_case_gives_what_it_expects(identifier, request, record_property):
    result = result_of(identifier)
    if request.config.getoption("--accept") and result.case.directory.name:
        record_property("accepted", accept(result))
        result = run_case(load_cases(result.case.directory)[0])
    with naming_case(result.case):
        assert_expected(result)


@pytest.mark.parametrize("identifier", [name for name, case in CASES.items() if case.executes])
@pytest.mark.sampled(6)
def test_case_does_the_same_on_a_database(identifier, executor):
    with naming_case(CASES[identifier]):
        assert_same_behaviour(result_of(identifier), executor)


@pytest.mark.parametrize(
    "identifier", [name for name, case in CASES.items() if case.settings.application]
)
@pytest.mark.sampled(8)
def test_application_starts_and_stops_the_same(identifier):
    with naming_case(CASES[identifier]):
        assert_same_lifecycle(result_of(identifier))


@pytest.mark.parametrize(
    "identifier", [name for name, case in CASES.items() if case.runs_coroutines]
)
@pytest.mark.sampled(2)
def test_coroutines_do_the_same(identifier):
    with naming_case(CASES[identifier]):
        assert_same_concurrency(result_of(identifier))


@pytest.mark.parametrize(
    "identifier", [costly(name) for name, case in CASES.items() if case.settings.suite]
)
def test_suite_of_an_application_passes_before_and_after(identifier):
    with naming_case(CASES[identifier]):
        assert_same_suite(result_of(identifier))


def named_rows():
    """Return the rows that fixtures name, those bound to other versions included."""
    rows = set()
    for settings in FIXTURES.rglob("case.toml"):
        rows.update(tomllib.loads(settings.read_text("utf-8")).get("rows", []))
    return rows


def test_every_row_of_the_specification_has_a_fixture():
    missing = ROWS["rows"].keys() - ROWS["later"].keys() - named_rows()
    assert not missing, f"no fixture names the rows {sorted(missing)}"


def test_fixtures_name_rows_that_exist():
    plain = {re.sub(r"[a-z]$", "", row) for row in ROWS["rows"]}
    unknown = {
        row
        for row in named_rows()
        if row not in ROWS["rows"] and re.sub(r"[a-z]$", "", row) not in plain
    }
    assert not unknown, f"the specification has no rows {sorted(unknown)}"


def test_rows_put_off_are_rows():
    assert ROWS["later"].keys() <= ROWS["rows"].keys()

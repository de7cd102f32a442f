"""What a suite does before its tests, and while they run: at imports, by names, in loops."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def filled() -> int:
    with Session(engine) as db:
        return db.scalar(select(literal(1)))
"""
CONFTEST = "from database import filled\n\nfilled()\n"
ASKING = """\
import pytest
from database import engine
from sqlalchemy import literal, select
from sqlalchemy.orm import Session


@pytest.fixture
def one():
    with Session(engine) as db:
        yield db.scalar(select(literal(1)))


@pytest.fixture
def needing(one):
    return one + 2


@pytest.fixture
def plain():
    return 2


class TestShelf:
    @pytest.mark.parametrize("with_one", [True, False])
    def test_asked(self, request: pytest.FixtureRequest, with_one: bool):
        if with_one:
            value = request.getfixturevalue("one")
        else:
            value = request.getfixturevalue("plain") + request.getfixturevalue("needing")
        with Session(engine) as db:
            assert db.scalar(select(literal(value))) == value
"""
LOOP = """\
import asyncio

from database import engine
from sqlalchemy import literal, select
from sqlalchemy.orm import Session


async def number(db: Session) -> int:
    return db.scalar(select(literal(1)))


def test_number():
    with Session(engine) as db:
        loop = asyncio.get_event_loop()
        assert loop.run_until_complete(number(db)) == 1
"""


def test_what_conftest_waits_for_is_run_there():
    result = rewritten(database=DATABASE, conftest=CONFTEST)
    assert {one.reason for one in result.report.findings} == {None}
    assert "\nasyncio.run(filled())\n" in result.files["conftest.py"].decode()


def test_a_database_in_a_file_is_closed_by_what_conftest_runs():
    result = rewritten(database=DATABASE.replace("sqlite://", "sqlite:///a.db"), conftest=CONFTEST)
    assert "asyncio.run(closing_connections(filled()))" in result.files["conftest.py"].decode()


@pytest.mark.parametrize(
    "other", [{"helper.py": "import conftest\n"}, {"helper.py": 'LOADED = "conftest.py"\n'}]
)
def test_what_others_import_is_run_by_a_thread(other):
    helper = other["helper.py"]
    result = rewritten(database=DATABASE, conftest=CONFTEST, helper=helper)
    assert {one.reason for one in result.report.findings} == {None}
    submitted = "ThreadPoolExecutor().submit(lambda: asyncio.run(filled())).result()"
    assert submitted in result.files["conftest.py"].decode()


def test_fixtures_that_a_test_asks_for_are_made_before():
    text = rewritten(database=DATABASE, test_shelf=ASKING).files["test_shelf.py"].decode()
    marked = (
        '    @pytest.mark.usefixtures("needing", "one")\n    @pytest.mark.parametrize("with_one"'
    )
    assert marked in text
    assert "async def test_asked" in text
    assert 'value = request.getfixturevalue("one")' in text


def test_what_a_loop_in_a_variable_waits_for_is_awaited():
    result = rewritten(database=DATABASE, test_number=LOOP)
    assert {one.reason for one in result.report.findings} == {None}
    assert "assert await number(db) == 1" in result.files["test_number.py"].decode()


def test_a_loop_with_which_more_is_done_stays():
    text = LOOP.replace("loop.run_until", "loop.set_debug(True) or loop.run_until")
    after = rewritten(database=DATABASE, test_number=text).files["test_number.py"].decode()
    assert "await number(db)" not in after

"""Fixtures with one name in suites that do not see each other."""

from __future__ import annotations

import pytest
from planned import session_to_async

from awaken.contract import Level

DATABASE = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)


def one(db):
    return db.scalar(text("select 1"))
"""
CONFTEST = """\
import pytest

from {home}.database import LocalSession


@pytest.fixture
def db():
    with LocalSession() as session:
        yield session
"""
TESTS = """\
from sqlalchemy.orm import Session

from {home}.database import one


def test_one(db: Session):
    assert one(db) == 1
"""
STOPPED = """

class Shelf:
    def __len__(self):
        with LocalSession() as db:
            return one(db)
"""


def levels(folders: dict[str, str], more: str = ""):
    """Return the levels of what is said of the tests of each service, of which one is stopped.

    The last one's fixtures have ``more`` in front of them.
    """
    texts: dict[str, str] = {}
    for home, folder in folders.items():
        texts[f"{home}/__init__.py"] = ""
        texts[f"{home}/database.py"] = DATABASE + (STOPPED if home == "stock" else "")
        before = more if home == [*folders][-1] else ""
        texts[f"{folder}conftest.py"] = before + CONFTEST.format(home=home)
        texts[f"{folder}{home}/test_{home}.py"] = TESTS.format(home=home)
    found = session_to_async(texts).findings
    return {
        home: {one.level for one in found if one.place.path.endswith(f"test_{home}.py")}
        for home in folders
    }


def test_suites_side_by_side_do_not_belong_together():
    assert levels({"orders": "tests_of_orders/", "stock": "tests_of_stock/"}) == {
        "orders": {Level.UNSAFE},
        "stock": {Level.MANUAL},
    }


@pytest.mark.parametrize("inner", ["orders", "stock"])
def test_a_fixture_that_another_may_override_belongs_to_it(inner):
    outer = "stock" if inner == "orders" else "orders"

    assert levels({outer: "tests/", inner: "tests/inner/"}) == {
        "orders": {Level.MANUAL},
        "stock": {Level.MANUAL},
    }


def test_fixtures_that_another_suite_imports_belong_to_it():
    folders = {"stock": "tests_of_stock/", "orders": "tests_of_orders/"}

    assert levels(folders, "from tests_of_stock.conftest import db\n") == {
        "orders": {Level.MANUAL},
        "stock": {Level.MANUAL},
    }

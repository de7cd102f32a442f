"""Objects of which nothing is known, and methods that hardly anything has but sessions."""

from __future__ import annotations

import pytest
from planned import session_to_async

from awaken.contract import Level

PROGRAM = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

import elsewhere

LocalSession = sessionmaker(create_engine("sqlite://"))


def keep(db: Session, rows):
    elsewhere.box.{method}(rows)
    db.commit()


def run():
    with LocalSession() as db:
        keep(db, [])
"""


def levels(method):
    """Return the levels of what is found in the program, whose unknown object has a method."""
    found = session_to_async({"app.py": PROGRAM.format(method=method)}).findings
    return {one.level for one in found}


@pytest.mark.parametrize(
    "method",
    ["add_all", "bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings", "scalars"],
)
def test_a_method_of_sessions_alone_holds_the_program_back(method):
    assert Level.UNSAFE not in levels(method)


def test_a_method_that_much_else_has_does_not():
    assert Level.UNSAFE in levels("append")


SOMETIMES = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

import elsewhere

LocalSession = sessionmaker(create_engine("sqlite://"))


def keep(db):
    {use}


def run():
    with LocalSession() as db:
        keep(db)
        db.commit()


def others():
    keep({other})


run()
others()
"""
USES = {
    "scalar": "return db.scalar('SELECT 1')",
    "get": "return db.get('a')",
    "execute": "return db.execute('SELECT 1')",
    "delete": "db.delete(1)",
    "connection": "return db.connection()",
    "a block": "with db.begin():\n        pass",
    "another variable": "box = db\n    return box.execute('SELECT 1')",
}


def sometimes(use, other):
    """Return the levels and reasons of a program of which one call passes a session."""
    found = session_to_async({"app.py": SOMETIMES.format(use=USES.get(use, use), other=other)})
    return {one.level for one in found.findings}, {one.reason for one in found.findings}


@pytest.mark.parametrize("use", USES)
def test_what_one_caller_passes_a_session_may_be_one(use):
    levels, reasons = sometimes(use, "elsewhere.box")

    assert Level.UNSAFE not in levels
    assert "session-to-async/unknown-session" in reasons


@pytest.mark.parametrize("other", ["{}", "object()"])
def test_it_is_known_to_be_something_else_sometimes(other):
    assert "session-to-async/unknown-session" in sometimes("get", other)[1]


@pytest.mark.parametrize(
    ("use", "other"),
    [("execute", "None"), ("execute", "LocalSession()"), ("db.add(1)", "elsewhere.box")],
)
def test_what_is_a_session_and_what_waits_for_nothing_holds_nothing_back(use, other):
    assert Level.UNSAFE in sometimes(use, other)[0]

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

"""A `try` of one line that closes its session becomes the block of a `with` statement."""

from pathlib import Path

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

BEFORE = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

maker = sessionmaker(bind=create_engine("sqlite://"))


def found():
    session = maker()
    try: found = session.scalar(text("select 1")); session.expunge_all()  # both
    finally: session.close()
    return found
"""
AFTER = """\
    with maker() as session:
        found = session.scalar(text("select 1"))
        session.expunge_all()  # both
    return found
"""


def test_a_try_of_one_line_becomes_the_block():
    files = {"shop.py": BEFORE.encode()}
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="session-context-manager",
        directory=Path(),
        settings=Settings(),
        before=files,
        after=files,
        program={},
    )
    assert run_case(case).files["shop.py"].decode().endswith(AFTER)

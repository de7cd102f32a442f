"""Listeners on sessions: they are those of the synchronous session inside."""

from __future__ import annotations

import pytest
from planned import rewritten

SUITE = """\
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

engine = create_engine("sqlite+pysqlite:///notes.db")


@pytest.fixture
def db():
    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection)
    nested = connection.begin_nested()

    @event.listens_for(session, "after_transaction_end")
    def restart(session: Session, ended) -> None:
        nonlocal nested
        if not nested.is_active:
            {0}

    yield session
    {1}
    session.close()
    transaction.rollback()
    connection.close()


def test_savepoint(db: Session):
    db.execute(text("select 1"))
    db.commit()
    db.rollback()
"""


def test_a_savepoint_is_begun_again_by_the_synchronous_connection():
    result = rewritten(test_notes=SUITE.format("nested = connection.begin_nested()", "pass"))
    written = result.files["test_notes.py"].decode()

    assert not [one.message for one in result.report.findings if one.reason]
    assert "nested = await connection.begin_nested()" in written
    assert '@event.listens_for(session.sync_session, "after_transaction_end")' in written
    assert "def restart(session: Session, ended) -> None:" in written
    assert "nested = connection.sync_connection.begin_nested()" in written


def test_the_session_of_an_event_is_a_synchronous_one():
    result = rewritten(test_notes=SUITE.format("session.begin_nested()", "pass"))
    written = result.files["test_notes.py"].decode()

    assert not [one.message for one in result.report.findings if one.reason]
    assert "            session.begin_nested()" in written


@pytest.mark.parametrize(
    ("done", "last"),
    [
        ("nested = connection.begin_nested()", "nested.rollback()"),
        ("nested = connection.begin_nested()", "restart(session, None)"),
        ("connection.execute(text('x'))", "pass"),
        ("print(connection.begin_nested())", "pass"),
    ],
)
def test_what_else_a_listener_waits_for_is_refused(done, last):
    result = rewritten(test_notes=SUITE.format(done, last))

    assert any(one.reason for one in result.report.findings)

"""Listeners on sessions: they are those of the synchronous session inside."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

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


LISTENED = """\
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

engine = create_engine("sqlite:///notes.db")
LocalSession = sessionmaker(engine)
Registry = scoped_session(LocalSession)
counted = []


def count(session, context):
    counted.append(context)


{0}


def main():
    with LocalSession() as db:
        db.execute(text("x"))
    Registry().commit()
"""


@pytest.mark.parametrize(
    "line",
    [
        'event.listen(LocalSession, "after_flush", count)',
        'event.listen(target=LocalSession, identifier="after_flush", fn=count)',
        'event.listens_for(LocalSession, "after_flush")(count)',
        'event.listen(Registry, "after_flush", count)',
        'def begin():\n    event.listen(LocalSession, "after_flush", count)',
        'def end():\n    event.remove(LocalSession, "after_flush", count)',
        '@event.listens_for(LocalSession, "before_commit")\ndef committing(session): ...',
        'def begin(made):\n    event.listen(made, "after_flush", count)\n\n\nbegin(LocalSession)',
    ],
)
def test_events_of_a_factory_are_refused(line):
    result = rewritten(notes=LISTENED.format(line))
    [reason] = [one for one in result.report.findings if reason_of(one) == "factory-events"]

    assert result.files["notes.py"].decode() == LISTENED.format(line)
    assert "asynchronous factories have no events" in reason.message


def test_what_is_listened_to_no_more_is_the_engine_inside():
    line = 'def end():\n    event.remove(engine, "connect", count)'
    written = rewritten(notes=LISTENED.format(line)).files["notes.py"].decode()

    assert 'event.remove(engine.sync_engine, "connect", count)' in written


def test_events_of_all_sessions_are_those_of_the_class():
    line = 'event.listen(Session, "after_flush", count)'
    written = rewritten(notes=LISTENED.format(line)).files["notes.py"].decode()

    assert line in written
    assert "LocalSession = async_sessionmaker(" in written


def test_listeners_of_the_class_are_given_synchronous_sessions():
    notes = """\
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///notes.db")
LocalSession = sessionmaker(engine)


@event.listens_for(Session, "after_commit")
def told(session: Session):
    print(session.info.pop("notes", None))


def count():
    with LocalSession() as db:
        return db.execute(text("select 1")).scalar()
"""
    result = rewritten(notes=notes)

    assert "def told(session: Session):" in result.files["notes.py"].decode()
    assert "async def count():" in result.files["notes.py"].decode()
    assert not [one for one in result.findings if one.reason]

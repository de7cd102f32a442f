"""The session of a mapped object is the asynchronous one, but for what events call."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

PROGRAM = """\
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.orm import Session, object_session, sessionmaker

engine = create_engine("sqlite:///notes.db")
LocalSession = sessionmaker(engine)


{0}


def main():
    with LocalSession() as db:
        note = db.scalar(text("x"))
        {1}
        db.commit()
"""


def _made(before, inside):
    result = rewritten(notes=PROGRAM.format(before, inside))
    return result.files["notes.py"].decode(), [
        reason_of(one) for one in result.report.findings if one.reason
    ]


@pytest.mark.parametrize(
    ("before", "inside", "expected"),
    [
        ("", "print(object_session(note) is db)", "print(async_object_session(note) is db)"),
        ("", "object_session(note).flush()", "await async_object_session(note).flush()"),
        ("", "print(inspect(note).session is db)", "print(inspect(note).async_session is db)"),
        ("", "inspect(note).session.flush()", "await inspect(note).async_session.flush()"),
        (
            "def session_of(note):\n    return object_session(note)",
            "session_of(note).flush()",
            "    return async_object_session(note)\n",
        ),
        (
            "def is_attached(note):\n    return object_session(note) is not None",
            "print(is_attached(note))",
            "    return async_object_session(note) is not None\n",
        ),
    ],
)
def test_the_session_of_an_object_is_the_asynchronous_one(before, inside, expected):
    written, reasons = _made(before, inside)

    assert expected in written
    assert reasons == []


@pytest.mark.parametrize("asked", ["object_session(one)", "inspect(one).session"])
@pytest.mark.parametrize(
    ("decorator", "behind"),
    [
        ('@event.listens_for(Session, "after_flush")\n', ""),
        ("", '\n\n\nevent.listen(Session, "after_flush", flushed)'),
    ],
)
def test_what_events_call_sees_the_synchronous_one(asked, decorator, behind):
    listener = (
        f"{decorator}def flushed(session, context):\n    for one in session.new:\n"
        f"        print({asked} is session){behind}"
    )
    written, reasons = _made(listener, "pass")

    assert listener in written
    assert "await db.commit()" in written
    assert reasons == []


@pytest.mark.parametrize(
    "asked", ["db.object_session(note) is db", "Session.object_session(note) is db"]
)
def test_a_method_that_gives_the_synchronous_one_is_refused(asked):
    written, reasons = _made("", f"print({asked})")

    assert written == PROGRAM.format("", f"print({asked})")
    assert "inner-session" in reasons


def test_a_function_that_is_given_its_session_makes_none_by_asking_for_that_of_an_object():
    texts = (
        "from sqlalchemy.orm import Session, object_session\n\n\n"
        "def save(db: Session, note):\n    db.flush()\n    object_session(note).commit()\n\n\n"
        "def run(registry, note):\n    save(registry.current, note)\n"
    )
    result = rewritten(notes=texts)

    assert result.files["notes.py"].decode() == texts
    assert "foreign-session" in {reason_of(one) for one in result.report.findings}

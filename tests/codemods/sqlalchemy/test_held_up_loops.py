"""What session-to-async says of calls that block in functions that leave the thread pool."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)
"""
USERS = """\
import time

import requests
from passlib.context import CryptContext
from sqlalchemy.orm import Session

pwd_context = CryptContext(schemes=["bcrypt"])


def hashed(password: str) -> str:
    return pwd_context.hash(password)


def ask(db: Session) -> object:
    db.flush()
    return requests.get("https://example.org")


def used(db: Session, password: str) -> object:
    db.flush()
    return VALUE
"""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("time.sleep(1)", "`time.sleep` now blocks the event loop"),
        (
            "hashed(password)",
            "`passlib.context.CryptContext.hash` now blocks the event loop",
        ),
        (
            "hashed(password), time.sleep(1)",
            ("`passlib.context.CryptContext.hash` and `time.sleep` now block the event loop"),
        ),
        # It says so itself.
        ("ask(db)", None),
        ("password.upper()", None),
    ],
)
def test_a_function_says_what_holds_up_its_loop(value, said):
    result = rewritten(database=DATABASE, users=USERS.replace("VALUE", value))
    found = next(one for one in result.report.findings if one.message.startswith("`used`"))

    assert ("event loop" in found.message) is (said is not None)
    assert said is None or said in found.message
    assert "await db.flush()" in result.files["users.py"].decode()


WATCHER = """\
import asyncio

from database import LocalSession


async def watch() -> None:
    while True:
        with LocalSession() as db:
            db.commit()
        await asyncio.sleep(60)


async def serve() -> None:
    task = asyncio.create_task(watch())
    MEANWHILE
"""


@pytest.mark.parametrize(("meanwhile", "is_said"), [("task.cancel()", True), ("await task", False)])
def test_a_task_that_is_cancelled_may_be_interrupted(meanwhile, is_said):
    result = rewritten(database=DATABASE, watcher=WATCHER.replace("MEANWHILE", meanwhile))
    found = next(one for one in result.report.findings if one.message.startswith("`watch`"))
    assert ("cancelling the task of `watch`" in found.message) is is_said


SENDER = """\
import asyncio

from sqlalchemy.orm import Session


async def broadcast(event: str) -> None:
    pass


def send(event: str) -> None:
    try:
        loop = asyncio.get_event_loop()
        if loop.is_running():
            asyncio.ensure_future(broadcast(event))
        else:
            loop.run_until_complete(broadcast(event))
    except RuntimeError:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(broadcast(event))
        loop.close()


def occupy(db: Session) -> None:
    db.commit()
    send("occupied")
"""


USING = """\
from database import LocalSession
from sender import occupy


def use() -> None:
    with LocalSession() as db:
        occupy(db)
"""


@pytest.mark.parametrize(
    ("asked", "is_written"),
    [("loop.is_running()", True), ("loop.is_closed()", False)],
)
def test_a_loop_that_runs_where_none_is_running_holds_up_nothing(asked, is_written):
    result = rewritten(
        database=DATABASE, sender=SENDER.replace("loop.is_running()", asked), users=USING
    )
    assert (b"async def occupy" in result.files["sender.py"]) is is_written
    said = [one.message for one in result.report.findings if one.message.startswith("`occupy`")]
    assert any("`send` finds a running event loop now" in one for one in said) is is_written

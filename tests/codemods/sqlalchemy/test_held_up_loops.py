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

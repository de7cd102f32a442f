"""Reads behind calls of functions that roll back: what these expired is loaded in front of them."""

from __future__ import annotations

import pytest
from example_models import FACTORY_AND_BASE
from planned import rewritten

MODELS = """\
from sqlalchemy.orm import Mapped, mapped_column

from database import Base


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
"""
USING = """\
import contextlib

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database import LocalSession
from models import User


def tried(db: Session, name: str) -> None:
    try:
        db.add(User(name=name))
        db.commit()
    except IntegrityError:
        db.rollback()


def forced(db: Session, name: str) -> None:
    try:
        db.add(User(name=name))
        db.commit()
    except IntegrityError:
        db.rollback()
        raise


def found(db: Session, name: str) -> None:
    try:
        db.add(User(name=name))
        db.commit()
    except IntegrityError as error:
        if "users" in str(error):
            db.rollback()
            if db.get(User, 1) is not None:
                return
        raise


def tried_again(db: Session, name: str) -> None:
    tried(db, name)


def forced_again(db: Session, name: str) -> None:
    forced(db, name)


def translated(db: Session, name: str) -> None:
    try:
        forced_again(db, name)
    except IntegrityError:
        raise ValueError(name)


def suppressed(db: Session, name: str) -> None:
    with contextlib.suppress(IntegrityError):
        forced_again(db, name)


def tried_elsewhere(name: str) -> None:
    with LocalSession() as db:
        tried(db, name)


def used(db: Session, user: User) -> str:
"""
ANEW = "    if inspect(user).expired:\n        await db.refresh(user)\n"


def used(*lines):
    """Return the function with these lines afterwards."""
    text = USING + "".join(f"    {line}\n" for line in lines)
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, using=text)
    after = result.files["using.py"].decode().partition("async def used")[2]
    assert after, result.findings
    return after


@pytest.mark.parametrize(
    ("lines", "is_loaded"),
    [
        (["tried(db, 'a')", "return user.name"], True),
        (["tried_again(db, 'a')", "return user.name"], True),
        (["suppressed(db, 'a')", "return user.name"], True),
        # It raises behind the rollback, or returns before that.
        (["found(db, 'a')", "return user.name"], True),
        # Behind these, nobody reads anything: an exception went through.
        (["forced(db, 'a')", "return user.name"], False),
        (["forced_again(db, 'a')", "return user.name"], False),
        (["translated(db, 'a')", "return user.name"], False),
        (["with pytest.raises(ValueError):", "    translated(db, 'a')", "return user.name"], True),
        (
            [
                "try:",
                "    forced(db, 'a')",
                "except IntegrityError:",
                "    pass",
                "return user.name",
            ],
            True,
        ),
        # Of this session, nothing is rolled back.
        (["tried_elsewhere('a')", "db.commit()", "return user.name"], False),
        (["tried(db, 'a')", "db.refresh(user)", "return user.name"], False),
        (["tried(db, 'a')", "return 'a'"], False),
    ],
)
def test_what_is_read_behind_a_call_that_rolls_back_is_loaded(lines, is_loaded):
    after = used(*lines)

    assert (ANEW in after) == is_loaded, after
    if not is_loaded:
        assert "inspect(" not in after


def test_what_is_added_behind_the_call_is_not_expired():
    after = used("tried(db, 'a')", "db.add(user)", "db.commit()", "return user.name")

    assert "inspect(" not in after


def test_a_mock_is_not_expired_though_it_says_so():
    text = USING + "    tried(db, 'a')\n    return user.name\n"
    test = "from unittest.mock import Mock\n\n\ndef test():\n    Mock()\n"
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, using=text, test_app=test)

    assert "    if inspect(user).expired is True:\n" in result.files["using.py"].decode()

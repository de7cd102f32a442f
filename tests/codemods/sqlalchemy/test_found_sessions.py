"""Code that finds the session of an object, and stays: so does all that loads objects."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

DATABASE = """\
from sqlalchemy import create_engine, func, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, object_session

engine = create_engine("sqlite:///app.db")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
USERS = """\
from database import Session, User, engine, select


def users() -> list[User]:
    with Session(engine) as db:
        return list(db.scalars(select(User)))
"""
FINDING = {
    "property": "    @property\n    def count(self) -> int:\n        db = object_session(self)\n",
    "of-class": (
        "    @property\n    def count(self) -> int:\n        db = Session.object_session(self)\n"
    ),
    "state": "    @property\n    def count(self) -> int:\n        db = inspect(self).session\n",
    "protocol": "    def __len__(self) -> int:\n        db = object_session(self)\n",
    "comparison": "    def __bool__(self) -> bool:\n        db = object_session(self)\n",
}
COUNT = "        return db.scalar(select(func.count(User.id)))\n"


@pytest.mark.parametrize("finding", FINDING.values(), ids=FINDING)
def test_all_stays_if_code_that_finds_a_session_does(finding):
    result = rewritten(database=f"{DATABASE}\n{finding}{COUNT}", users=USERS)
    assert result.files["users.py"].decode() == USERS
    assert "sync-protocol" in {reason_of(one) for one in result.report.findings}


def test_method_that_finds_a_session_becomes_asynchronous_with_all():
    method = FINDING["property"].replace("    @property\n", "")
    result = rewritten(database=f"{DATABASE}\n{method}{COUNT}", users=USERS)
    assert b"async def users()" in result.files["users.py"]
    assert b"async def count(self)" in result.files["database.py"]

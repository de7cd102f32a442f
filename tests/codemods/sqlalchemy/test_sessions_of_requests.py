"""Sessions that a test gives to requests: which functions of tests give one."""

from __future__ import annotations

import pytest
from planned import rewritten

APP = """\
from fastapi import Depends, FastAPI
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker
)

LocalSession = sessionmaker(create_engine("sqlite://"))
app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[list["Note"]] = relationship()


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def get_db():
    with LocalSession() as db:
        yield db


def get_name():
    return "name"


@app.get("/count")
def count(name: str = Depends(get_name), db: Session = Depends(get_db)) -> int:
    return len(db.get(User, 1).notes)
"""
CONFTEST = """\
import pytest
from app import LocalSession, app, get_db, get_name


class Overrides:
    def __init__(self, overrides):
        self.overrides = overrides

    def __enter__(self):
        app.dependency_overrides.update(self.overrides)

    def __exit__(self, *args):
        app.dependency_overrides.clear()


@pytest.fixture
def db():
    with LocalSession() as session:
        yield session


@pytest.fixture
def client(db):
    def override():
        yield db

    {use}
"""
ANEW = "await db.run_sync(reload_relationships)"


@pytest.mark.parametrize(
    ("use", "is_anew"),
    [
        ("app.dependency_overrides[get_db] = override\n    yield app", True),
        ("with Overrides({get_db: override}):\n        yield app", True),
        ("overrides = {get_db: override}\n    with Overrides(overrides):\n        yield app", True),
        # That is no dependency with a session.
        ("with Overrides({get_name: override}):\n        yield app", False),
    ],
)
def test_a_request_of_a_session_that_a_test_shares_reads_relationships_anew(use, is_anew):
    result = rewritten(app=APP, conftest=CONFTEST.replace("{use}", use))

    assert (ANEW in result.files["conftest.py"].decode()) == is_anew, result.findings

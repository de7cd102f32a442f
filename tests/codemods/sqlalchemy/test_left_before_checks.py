"""What a check would roll back is left at its place, or was so before: the message names it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from planned import reason_of, rewritten

from awaken import api
from awaken.settings import Settings

DATABASE = """\
from collections.abc import Iterator

from sqlalchemy import create_engine, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def get_db() -> Iterator[Session]:
    with LocalSession() as db:
        yield db


def number() -> int:
    with LocalSession() as db:
        return db.scalar(select(literal(1)))
"""
FORGOTTEN = {
    "call": "session.execute(select(literal(1)))",
    "commit": "session.add(1); session.commit()",
    "iterated": "print([row for row in await session.stream(select(literal(1)))])",
    "stored": "rows = session.scalars(select(literal(1)))",
    "entered": "with session.begin():\n        pass",
}
SHARED = {
    "replaced": "def made() -> int:\n    Base.metadata.create_all(engine); return 1\n",
    "after": "def made() -> int:\n    x = 1; Base.metadata.create_all(engine)\n    return x\n",
    "suite": "def made(x: int) -> None:\n    if x: Base.metadata.create_all(engine)\n",
    "delegated": """\
def numbers(db: Session):
    yield db.scalar(select(literal(1)))


def all_numbers(db: Session):
    x = 1; yield from numbers(db)
""",
}


@pytest.mark.parametrize("forgotten", FORGOTTEN.values(), ids=FORGOTTEN)
def test_operation_that_nothing_awaited_before_stops_nothing(forgotten):
    text = f"{DATABASE}\n\nasync def other(session: AsyncSession) -> None:\n    {forgotten}\n"

    result = rewritten(database=text)

    assert result.report.diagnostics == ()
    assert {one.reason for one in result.report.findings} == {None}
    after = result.files["database.py"].decode()
    assert "return await db.scalar(" in after
    assert forgotten in after


MODELS = """\
from database import engine, literal, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


"""


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_line_that_two_statements_share_is_named_before_it_is_written(shared):
    result = rewritten(database=DATABASE, models=f"{MODELS}{shared}")

    assert result.report.diagnostics == ()
    reasons = {reason_of(one) for one in result.report.findings}
    assert "shared-line" in reasons
    assert "rolled-back" not in {one.rpartition("/")[2] for one in reasons}


CLOSED_BY_HAND = """\
from collections.abc import Iterator

from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def get_db() -> Iterator[Session]:
    db = LocalSession()
    try:
        yield db
    finally:
        db.close()


def number() -> int:
    db = LocalSession()
    try:
        return db.scalar(select(literal(1)))
    finally:
        db.close()
"""


def test_sessions_are_entered_and_asynchronous_in_one_run(tmp_path):
    (tmp_path / "database.py").write_text(CLOSED_BY_HAND)
    rules = ("session-to-async", "session-context-manager")
    settings = Settings(select=rules, unsafe_fixes=True, published=False)

    report = api.run([tmp_path], api.Options(settings=settings, use_cache=False, jobs=1))

    (root,) = report.roots
    assert root.diagnostics == ()
    (after,) = [one.after.text.decode() for one in root.files if one.path == "database.py"]
    assert after.count("async with LocalSession() as db:") == 2
    module: dict[str, Any] = {}
    exec(after, module)

    async def number() -> int:
        found = await module["number"]()
        await module["engine"].dispose()
        return found

    assert asyncio.run(number()) == 1

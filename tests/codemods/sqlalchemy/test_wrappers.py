"""Wrappers of the program's own decorators that wait themselves."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
DECORATOR = """\
from functools import wraps

from sqlalchemy.exc import IntegrityError


def keeping(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except IntegrityError:
            args[1].rollback()
            return None

    return wrapper
"""
TAGS = """\
from sqlalchemy.orm import Session

from database import LocalSession, Tag
from decorators import keeping


class Tags:
    @keeping
    def add(self, db: Session, number: int) -> Tag:
        tag = Tag(id=number)
        db.add(tag)
        db.commit()
        return tag


def main() -> None:
    with LocalSession() as db:
        Tags().add(db, 1)
"""


def test_a_wrapper_awaits_what_it_wraps_and_what_its_arguments_are():
    result = rewritten(database=DATABASE, decorators=DECORATOR, tags=TAGS)

    written = result.files["decorators.py"].decode()
    assert "    async def wrapper(*args, **kwargs):\n" in written
    assert "return await function(*args, **kwargs)\n" in written
    assert "await args[1].rollback()\n" in written
    assert "await Tags().add(db, 1)" in result.files["tags.py"].decode()


def test_what_a_waiting_wrapper_is_put_around_waits_for_it():
    plain = '    @keeping\n    def name(self, db: Session) -> str:\n        return "tags"\n'
    tags = TAGS.replace("    @keeping", f"{plain}\n    @keeping", 1)
    result = rewritten(database=DATABASE, decorators=DECORATOR, tags=tags)

    assert (
        "    async def name(self, db: AsyncSession) -> str:\n" in result.files["tags.py"].decode()
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # It is called by itself as well: who calls what it gives is not in sight.
        ("class Tags:", "plain = keeping(print)\n\n\nclass Tags:"),
        # Other arguments come in these places.
        ("    @keeping\n", "    @keeping\n    @shifted\n"),
        # There is no such parameter.
        ("(self, db: Session, number: int)", "(self)"),
    ],
)
def test_a_wrapper_of_which_not_all_is_in_sight_is_reported(before, after):
    shifted = (
        "\n\ndef shifted(function):\n    @wraps(function)\n    def wrapper(self, *args):\n"
        "        return function(self, 1, *args)\n\n    return wrapper\n"
    )
    tags = TAGS.replace(before, after, 1).replace("import keeping", "import keeping, shifted")
    texts = {"database.py": DATABASE, "decorators.py": DECORATOR + shifted, "tags.py": tags}
    findings = session_to_async(texts).findings

    assert {reason_of(one) for one in findings} & {"handed-on", "unknown-session"}


def test_a_task_that_repeats_awaits_what_it_is_given():
    shop = """\
from fastapi import FastAPI
from fastapi_utils.tasks import repeat_every
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)
app = FastAPI()


@app.on_event("startup")
@repeat_every(seconds=60)
def count() -> None:
    with LocalSession() as db:
        db.execute(text("select 1"))
"""
    result = rewritten(shop=shop)

    assert "async def count() -> None:\n    async with" in result.files["shop.py"].decode()

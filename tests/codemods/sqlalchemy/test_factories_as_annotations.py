"""Parameters that are annotated with the factory of their sessions: ``db: SessionLocal``."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
"""
APPLICATION = """\
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select

from database import Book, SessionLocal, get_db

app = FastAPI()
DatabaseSession = Annotated[SessionLocal, Depends(get_db)]


@app.get("/")
def read_books(db: SessionLocal = Depends(get_db)):
    return db.scalars(select(Book)).all()


@app.get("/first")
def read_first(db: DatabaseSession):
    return first(db)


def first(db: "SessionLocal"):
    return db.get(Book, 1)
"""


def test_a_factory_in_the_place_of_a_type_becomes_the_class_of_its_sessions():
    written = rewritten(database=DATABASE, application=APPLICATION).files["application.py"].decode()

    assert "DatabaseSession = Annotated[AsyncSession, Depends(get_db)]\n" in written
    assert "async def read_books(db: AsyncSession = Depends(get_db)):\n" in written
    assert "async def first(db: AsyncSession):\n    return await db.get(Book, 1)\n" in written
    assert "from database import Book, get_db\n" in written
    assert "from sqlalchemy.ext.asyncio import AsyncSession\n" in written


@pytest.mark.parametrize(
    "kept",
    [
        "def make(factory=SessionLocal):\n    return factory()\n",
        "FACTORIES: list[object] = [SessionLocal]\n",
        'NAMES = ["SessionLocal"]\n',
    ],
)
def test_a_factory_that_is_no_annotation_keeps_its_name(kept):
    text = f"{APPLICATION}\n\n{kept}"

    assert (
        rewritten(database=DATABASE, application=text)
        .files["application.py"]
        .decode()
        .endswith(f"\n\n{kept}")
    )

"""Strings that PostgreSQL took for something else, as psycopg2 leaves their types out."""

from __future__ import annotations

import runpy
import sys

import pytest
from planned import rewritten
from sqlalchemy.dialects.postgresql import asyncpg, psycopg, psycopg2

_MODELS = """\
from datetime import date

from sqlalchemy import Column, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    day: Mapped[date]
    title: Mapped[str]
    authors = Column(JSONB)
"""
_SHOP = """\
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("{url}://localhost/shop")


def statement({parameter}):
    return select(Book).where({condition})


def found(db: Session, value):
    return db.scalars(statement(value)).all()
"""
_UNTYPED = "postgresql"


def _rewritten(condition, parameter="value: str", url=_UNTYPED):
    shop = _SHOP.format(condition=condition, parameter=parameter, url=url)
    targets = {"sqlalchemy": "==2.0.40"}
    options = {"drivers": {"postgresql": "psycopg"}}
    return rewritten(models=_MODELS, shop=shop, options=options, targets=targets).files


def _text(files):
    return files["shop.py"].decode()


def _statement(text, directory, monkeypatch, value):
    """Return the statement of a file with this text, without the engine of it."""
    directory.mkdir()
    (directory / "models.py").write_text(_MODELS)
    without = (one for one in text.splitlines() if not one.startswith("engine = "))
    (directory / "shop.py").write_text("\n".join(without))
    monkeypatch.syspath_prepend(directory)
    monkeypatch.setitem(sys.modules, "models", None)
    del sys.modules["models"]
    return runpy.run_path(str(directory / "shop.py"))["statement"](value)


def _where(statement, dialect):
    return str(statement.compile(dialect=dialect.dialect())).partition("WHERE ")[2]


@pytest.mark.parametrize(
    ("condition", "before", "after"),
    [
        ("Book.id == value", "books.id = %(id_1)s", "CAST(%(param_1)s::VARCHAR AS INTEGER)"),
        ("value > Book.id", "books.id < %(id_1)s", "CAST(%(param_1)s::VARCHAR AS INTEGER)"),
        ("Book.day >= value", "books.day >= %(day_1)s", "CAST(%(param_1)s::VARCHAR AS DATE)"),
        (
            "func.jsonb_path_exists(Book.authors, f'$.{value}')",
            "jsonb_path_exists(books.authors, %(jsonb_path_exists_1)s)",
            "CAST(%(param_1)s::VARCHAR AS JSONPATH)",
        ),
    ],
)
def test_a_string_is_cast_to_what_it_is_compared_with(
    condition, before, after, tmp_path, monkeypatch
):
    shop = _SHOP.format(condition=condition, parameter="value: str", url=_UNTYPED)
    synchronous = _statement(shop, tmp_path / "before", monkeypatch, "7")
    assert before in _where(synchronous, psycopg2)
    # Sent so, no such operator or function is found.
    assert "::VARCHAR" in _where(synchronous, psycopg)
    assert "CAST" not in _where(synchronous, psycopg)

    text = _text(_rewritten(condition))
    asynchronous = _statement(text, tmp_path / "after", monkeypatch, "7")
    assert after in _where(asynchronous, psycopg)
    assert "::VARCHAR AS " in _where(asynchronous, asyncpg)


@pytest.mark.parametrize("value", ["7", None])
def test_what_may_be_none_is_null_as_before(value, tmp_path, monkeypatch):
    text = _text(_rewritten("Book.id == value", "value: str | None"))
    where = _where(_statement(text, tmp_path / "after", monkeypatch, value), psycopg)
    wanted = "books.id IS NULL" if value is None else "CAST(%(param_1)s::VARCHAR AS INTEGER)"
    assert wanted in where


@pytest.mark.parametrize(
    ("condition", "parameter", "url"),
    [
        ("Book.id == value", "value: int", _UNTYPED),
        ("Book.id == value", "value", _UNTYPED),
        ("Book.title == value", "value: str", _UNTYPED),
        ("Book.id == value", "value: str", "postgresql+psycopg"),
        ("func.lower(Book.title, value)", "value: str", _UNTYPED),
    ],
)
def test_others_stay_as_they_are(condition, parameter, url):
    text = _text(_rewritten(condition, parameter, url))
    assert f".where({condition})" in text
    assert "AsyncSession" in text


@pytest.mark.parametrize(
    ("decoding", "is_cast"),
    [
        ('value.decode("utf-8")', True),
        ("value.decode()", True),
        ("jwt.decode(value)", False),
        ("value.decode(key)", False),
    ],
)
def test_what_is_decoded_is_a_string(decoding, is_cast):
    shop = f"""\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("postgresql://localhost/shop")


def found(db: Session, queue, jwt, key):
    value = queue.pop()
    value = {decoding}
    return db.scalars(select(Book).where(Book.id == value)).one()
"""
    targets = {"sqlalchemy": "==2.0.40"}
    options = {"drivers": {"postgresql": "psycopg"}}
    after = rewritten(models=_MODELS, shop=shop, options=options, targets=targets).files
    assert ("cast(literal(value), Book.id.type)" in _text(after)) is is_cast
    assert "await db.scalars" in _text(after)


def test_names_that_are_taken_are_imported_by_others(tmp_path, monkeypatch):
    shop = """\
from typing import cast

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("postgresql://localhost/shop")


def statement(value: str, literal: bool = True):
    return select(Book).where(Book.id == cast(str, value) if literal else Book.id == value)


def found(db: Session, value):
    return db.scalars(statement(value)).all()
"""
    targets = {"sqlalchemy": "==2.0.40"}
    options = {"drivers": {"postgresql": "psycopg"}}
    files = rewritten(models=_MODELS, shop=shop, options=options, targets=targets).files
    statement = _statement(_text(files), tmp_path / "after", monkeypatch, "7")
    assert "CAST(%(param_1)s::VARCHAR AS INTEGER)" in _where(statement, psycopg)

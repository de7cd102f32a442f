"""Strings that PostgreSQL took for something else, as psycopg2 leaves their types out."""

from __future__ import annotations

import runpy
import sys

import pytest
from planned import rewritten, session_to_async
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


def _where(statement, dialect, **options):
    return str(statement.compile(dialect=dialect.dialect(), **options)).partition("WHERE ")[2]


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
        (
            "Book.id.in_([value, '3'])",
            "books.id IN (__[POSTCOMPILE_id_1])",
            "::VARCHAR AS INTEGER), CAST(%(param_2)s::VARCHAR AS INTEGER))",
        ),
        (
            "Book.id.not_in([one.strip() for one in (value, value)])",
            "(books.id NOT IN (__[POSTCOMPILE_id_1]))",
            "CAST(%(param_2)s::VARCHAR AS INTEGER)",
        ),
        (
            "Book.id.in_(value.split(','))",
            "books.id IN (__[POSTCOMPILE_id_1])",
            "books.id IN (CAST(%(param_1)s::VARCHAR AS INTEGER))",
        ),
        (
            "Book.id.in_({value} if value else {'1', '2'})",
            "books.id IN (__[POSTCOMPILE_id_1])",
            "books.id IN (CAST(%(param_1)s::VARCHAR AS INTEGER))",
        ),
        (
            "Book.day.between(value, '2020-01-01')",
            "books.day BETWEEN %(day_1)s AND %(day_2)s",
            "CAST(%(param_1)s::VARCHAR AS DATE) AND CAST(%(param_2)s::VARCHAR AS DATE)",
        ),
        (
            "Book.id.is_distinct_from(value)",
            "books.id IS DISTINCT FROM %(id_1)s",
            "books.id IS DISTINCT FROM CAST(%(param_1)s::VARCHAR AS INTEGER)",
        ),
        (
            "True).order_by(Book.id).filter_by(id=value, title=value",
            "books.id = %(id_1)s",
            "CAST(%(param_1)s::VARCHAR AS INTEGER) AND books.title = %(title_1)s::VARCHAR",
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
    sent = _where(synchronous, psycopg, compile_kwargs={"render_postcompile": True})
    assert "::VARCHAR" in sent
    assert "CAST" not in sent

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
        ("Book.title.in_(value)", "value: list[str]", _UNTYPED),
        ("Book.id.in_(value)", "value: list[int]", _UNTYPED),
        ("Book.id.in_(value)", "value: list[str | None]", _UNTYPED),
        ("Book.id.in_(value)", "value", _UNTYPED),
        ("Book.id.in_(value)", "value: list[str]", "postgresql+psycopg"),
        ("Book.id.in_(select(Book.id))", "value: list[str]", _UNTYPED),
        ("Book.title.between(value, value)", "value: str", _UNTYPED),
        ("True).join(Other).filter_by(id=value", "value: str", _UNTYPED),
    ],
)
def test_others_stay_as_they_are(condition, parameter, url):
    text = _text(_rewritten(condition, parameter, url))
    assert f".where({condition})" in text
    assert "AsyncSession" in text


@pytest.mark.parametrize(
    ("value", "is_cast"), [("'2020-01-01'", True), ("None", False), ("date(2020, 1, 1)", False)]
)
def test_a_caller_that_passes_a_string_in_place_of_a_date_keeps_its_rows(value, is_cast):
    shop = _SHOP.format(condition="Book.day >= value", parameter="value: date", url=_UNTYPED)
    shop = f"from datetime import date\n\n{shop}\n\ndef new():\n    return statement({value})\n"
    options = {"drivers": {"postgresql": "psycopg"}}
    targets = {"sqlalchemy": "==2.0.40"}
    files = rewritten(models=_MODELS, shop=shop, options=options, targets=targets).files
    assert ("Book.day >= cast(literal(value), Book.day.type)" in _text(files)) is is_cast


@pytest.mark.parametrize("annotation", ["int", "int | None", "Optional[int]"])
def test_a_column_of_sqlmodel_is_what_it_is_annotated_as(annotation):
    models = f"""\
from typing import Optional

from sqlmodel import Field, SQLModel


class Book(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    pages: {annotation}
"""
    shop = _SHOP.format(condition="Book.pages == value", parameter="value: str", url=_UNTYPED)
    options = {"drivers": {"postgresql": "psycopg"}}
    targets = {"sqlalchemy": "==2.0.40"}
    files = rewritten(models=models, shop=shop, options=options, targets=targets).files
    assert "Book.pages == cast(literal(value), Book.pages.type)" in _text(files)


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


@pytest.mark.parametrize(
    ("claims", "given", "is_cast"),
    [
        ("jwt.decode(token, 'key')", "claims.get('sub')", True),
        ("jwt.decode(token, 'key')", "claims['sub']", True),
        ("jwt.decode(token, 'key')", "claims.get('book')", False),
        ("elsewhere(token)", "claims.get('sub')", False),
    ],
)
def test_the_subject_of_a_token_is_a_string(claims, given, is_cast):
    shop = f"""\
import jwt
from elsewhere import elsewhere
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("postgresql://localhost/shop")


def _book(db: Session, number: int):
    return db.scalars(select(Book).where(Book.id == number)).first()


def read(db: Session, token: str):
    claims = {claims}
    return _book(db, {given})


def read_here(db: Session, token: str):
    claims = {claims}
    number = {given}
    return db.scalars(select(Book).where(Book.id == number)).first()
"""
    targets = {"sqlalchemy": "==2.0.40"}
    options = {"drivers": {"postgresql": "psycopg"}}
    after = _text(rewritten(models=_MODELS, shop=shop, options=options, targets=targets).files)
    assert after.count("cast(literal(number), Book.id.type)") == 2 * is_cast
    assert after.count("await db.scalars") == 2


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


_GETTING = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("{url}://localhost/shop")


def found(db: Session, value{annotation}):
    {more}
    return db.get({cls}, value)
"""


@pytest.mark.parametrize(
    ("driver", "annotation", "more", "written"),
    [
        ("asyncpg", ": str", "", "int(value)"),
        ("psycopg", ": str", "", "value"),
        ("asyncpg", ": int", "", "value"),
        ("asyncpg", ": str | None", "", "value"),
        ("asyncpg", "", "", "value"),
        ("asyncpg", ": str", "int = float", "value"),
    ],
)
def test_a_key_that_is_a_number_is_looked_for_by_one(driver, annotation, more, written):
    text = _GETTING.format(url=_UNTYPED, annotation=annotation, more=more, cls="Book")
    options = {"drivers": {"postgresql": driver}}
    result = rewritten(models=_MODELS, shop=text, options=options)
    assert f"return await db.get(Book, {written})" in _text(result.files)


def test_a_key_that_is_text_is_looked_for_as_it_is():
    models = _MODELS.replace("id = Column(Integer", "id = Column(String")
    text = _GETTING.format(url=_UNTYPED, annotation=": str", more="", cls="Book")
    result = rewritten(models=models, shop=text, options={"drivers": {"postgresql": "asyncpg"}})
    assert "return await db.get(Book, value)" in _text(result.files)


def test_a_key_of_what_is_read_anew_is_a_number_as_well():
    more = "db.execute(update(Book).values(title=Book.title + 'x'))"
    text = _GETTING.format(url=_UNTYPED, annotation=": str", more=more, cls="Book")
    text = f"from sqlalchemy import update\n{text}".replace("value)\n", "value).title\n")
    result = rewritten(models=_MODELS, shop=text, options={"drivers": {"postgresql": "asyncpg"}})
    after = "return (await db.get(Book, int(value), populate_existing=True)).title"
    assert after in _text(result.files)


@pytest.mark.parametrize(
    ("used", "is_refused"),
    [
        ("select(Book).where(Book.id == wanted(db))", True),
        ("select(Book).where(Book.id == str(wanted(db)))", False),
        ("select(Book).where(Book.title == wanted(db))", False),
    ],
)
def test_a_string_that_waits_is_not_cast_in_place(used, is_refused):
    shop = f"""\
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from models import Book

engine = create_engine("{_UNTYPED}://localhost/shop")


def wanted(db: Session) -> str:
    return db.scalar(text("select '1'"))


def found(db: Session):
    return db.scalars({used}).all()
"""
    targets = {"sqlalchemy": "==2.0.40"}
    options = {"drivers": {"postgresql": "psycopg"}}
    result = rewritten(models=_MODELS, shop=shop, options=options, targets=targets)
    reasons = {one.reason for one in result.findings if one.reason}
    assert ("session-to-async/not-awaitable-here" in reasons) is is_refused
    assert ("cast(literal(str(await wanted(db))), Book.id.type)" in _text(result.files)) is (
        "str" in used
    )


@pytest.mark.parametrize(("url", "count"), [("postgresql+psycopg2", 1), ("postgresql+psycopg", 0)])
def test_numbers_that_a_column_cannot_hold_are_said(url, count):
    shop = _SHOP.format(condition="Book.id == value", parameter="value: int", url=url)
    plan = session_to_async(
        {"models.py": _MODELS, "shop.py": shop}, drivers={"postgresql": "psycopg"}
    )

    assert sum("cannot hold" in finding.message for finding in plan.findings) == count

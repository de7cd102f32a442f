"""Rows of one INSERT that refer to each other: psycopg2 sends them together, others one by one."""

from __future__ import annotations

import pytest
from planned import rewritten

MODELS = """\
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Folder(Base):
    __tablename__ = "folders"
    id: Mapped[int] = mapped_column(primary_key=True)
    {column}
"""
DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from models import Folder

engine = create_engine({url}, echo=True)
new_session = sessionmaker(engine)


def save():
    with new_session() as db:
        db.add_all([Folder(id=1, inside=2), Folder(id=2)])
        db.commit()
"""
PSYCOPG2 = '"postgresql+psycopg2://h/x"'
TO_ITSELF = 'inside: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))'
TOGETHER = "= with_rows_together("


def database(url=PSYCOPG2, column=TO_ITSELF, **options):
    """Return what becomes of the file with the engine."""
    texts = {"database": DATABASE.format(url=url), "models": MODELS.format(column=column)}
    said = {"drivers": {"postgresql": "psycopg"}, **options}
    return rewritten(**texts, options=said).files["database.py"].decode()


def test_what_the_engine_becomes():
    written = database()
    assert (
        '''
def with_rows_together(engine: AsyncEngine) -> AsyncEngine:
    """Send the rows of an INSERT together, because a row may refer to a later one."""
    if engine.dialect.name == "postgresql":
        engine.dialect.use_insertmanyvalues_wo_returning = True
    return engine


engine = with_rows_together(create_async_engine("postgresql+psycopg://h/x", echo=True))
'''
        in written
    )


@pytest.mark.parametrize(
    "column",
    [
        'inside: Mapped[int | None] = mapped_column(ForeignKey("app.folders.id"))',
        "inside: Mapped[int | None] = mapped_column(ForeignKey(id))",
        '__table_args__ = (ForeignKeyConstraint(["inside"], ["folders.id"]),)',
        '__table__ = Table("folders", Base.metadata, Column("inside", ForeignKey("folders.id")))',
    ],
)
def test_keys_to_the_same_table(column):
    assert TOGETHER in database(column=column)


@pytest.mark.parametrize(
    ("url", "column"),
    [
        (PSYCOPG2, 'inside: Mapped[int | None] = mapped_column(ForeignKey("drawers.id"))'),
        (PSYCOPG2, '__table_args__ = (ForeignKeyConstraint(["inside"], ["drawers.id"]),)'),
        ('"postgresql+psycopg://h/x"', TO_ITSELF),
        ('"sqlite:///x.db"', TO_ITSELF),
    ],
)
def test_nothing_changes_where_rows_are_apart_already_or_do_not_refer(url, column):
    written = database(url, column)
    assert "create_async_engine(" in written
    assert "together" not in written


def test_tables_out_of_sight_may_refer_to_themselves():
    column = "inside: int\n\n\nimport elsewhere"
    assert TOGETHER in database(column=column, foreign_models=["elsewhere"])


@pytest.mark.parametrize(
    ("installed", "is_wrapped"), [("psycopg2-binary", True), ("pg8000", False)]
)
def test_a_url_from_outside_may_name_what_is_installed(installed, is_wrapped):
    texts = {
        "database": "import os\n" + DATABASE.format(url='os.environ["URL"]'),
        "models": MODELS.format(column=TO_ITSELF),
    }
    said = {"drivers": {"postgresql": "psycopg"}}
    found = rewritten(**texts, options=said, targets={installed: "==2.9"})
    assert (TOGETHER in found.files["database.py"].decode()) is is_wrapped


SAVING = """\
from database import new_session
from models import Folder


def {name}():
    with new_session() as db:
        db.add(Folder(id=1))
        db.commit()
"""


def test_engines_beside_synchronous_ones():
    texts = {
        "database": DATABASE.format(url=PSYCOPG2).partition("\n\n\ndef")[0] + "\n",
        "models": MODELS.format(column=TO_ITSELF),
        "saving": SAVING.format(name="save"),
        "others": SAVING.format(name="other"),
    }
    said = {"drivers": {"postgresql": "psycopg"}, "component": "saving"}
    written = rewritten(**texts, options=said).files["database.py"].decode()
    made = 'create_async_engine("postgresql+psycopg://h/x", echo=True)'
    assert f"\nasync_engine = with_rows_together(\n    {made}\n)\n" in written
    assert '\nengine = create_engine("postgresql+psycopg2://h/x", echo=True)\n' in written

"""Calls that are given a session or a connection, and stay synchronous: `run_sync` makes them."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

LocalSession = sessionmaker(create_engine("sqlite://"))
"""
REVISION = """\
revision = "1"
down_revision = None


def fill(connection, name=""):
    connection.execute(name)
"""
USING = """\
import importlib

import sqlalchemy as sa
from sqlalchemy import inspect
from sqlalchemy.orm import Session

import first_revision
import helpers
from database import LocalSession


def used(db: Session, name: str):
    loaded = importlib.import_module(name)
    inspector = inspect(db.get_bind())
    connection = db.connection()
    {0}


def began():
    with LocalSession() as db:
        return used(db, "one")
"""
HELPERS = """\
from sqlalchemy import Connection, text


def filled(connection: Connection):
    connection.execute(text("select 1"))


def shown(connection: Connection):
    return connection.dialect.name
"""


@pytest.mark.parametrize(
    ("call", "after"),
    [
        # Nobody knows what is loaded by a name that is not known.
        (
            "loaded.fill(db.connection(), name)",
            "await db.run_sync(lambda session: loaded.fill(session.connection(), name))",
        ),
        (
            "loaded.fill(connection=db.get_bind())",
            "await db.run_sync(lambda session: loaded.fill(connection=session.get_bind()))",
        ),
        (
            "first_revision.fill(db.connection())",
            "await db.run_sync(lambda session: first_revision.fill(session.connection()))",
        ),
        (
            "first_revision.fill(connection)",
            "await connection.run_sync(lambda connection: first_revision.fill(connection))",
        ),
        # What becomes asynchronous gets the asynchronous one.
        ("helpers.filled(connection)", "await helpers.filled(connection)"),
        ("helpers.shown(connection)", "helpers.shown(connection)"),
        (
            "names = inspector.get_table_names()",
            "names = await db.run_sync(lambda session: inspector.get_table_names())",
        ),
        (
            "return [one for one in inspector.get_columns(name)]",
            "for one in await db.run_sync(lambda session: inspector.get_columns(name))",
        ),
        (
            "return sa.inspect(connection).has_table(name)",
            "await connection.run_sync(lambda connection: sa.inspect(connection).has_table(name))",
        ),
    ],
)
def test_run_sync_calls_what_stays_synchronous(call, after):
    result = rewritten(
        database=DATABASE,
        first_revision=REVISION,
        helpers=HELPERS,
        using=USING.format(call),
    )
    text = result.files["using.py"].decode()

    assert "inspector = await db.run_sync(lambda session: inspect(session.get_bind()))" in text
    assert "".join(after.split()) in "".join(text.split())


def test_objects_are_inspected_as_before():
    text = """\
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from database import LocalSession


def looked_at(row) -> bool:
    with LocalSession() as db:
        return inspect(row).expired and db.scalar(select(1)) == 1
"""
    result = rewritten(database=DATABASE, looking=text)

    assert "return inspect(row).expired" in result.files["looking.py"].decode()

"""URLs that stand in variables of their own: the driver is written into the text."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

DATABASE_URL = "sqlite:///shop.db"

engine = create_engine(DATABASE_URL, connect_args={"check_same_thread": False})
LocalSession = sessionmaker(engine)


def one():
    with LocalSession() as db:
        return db.scalar(text("select 1"))
"""


def written(database: str = DATABASE, **more: str) -> str:
    return rewritten(database=database, **more).files["database.py"].decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"sqlite:///shop.db"', '"sqlite+aiosqlite:///shop.db"'),
        ("'sqlite+pysqlite:///shop.db'", "'sqlite+aiosqlite:///shop.db'"),
        ('f"sqlite:///{__name__}.db"', 'f"sqlite+aiosqlite:///{__name__}.db"'),
    ],
)
def test_the_driver_is_written_into_the_text(before, after):
    text = written(DATABASE.replace('"sqlite:///shop.db"', before))

    assert f"\nDATABASE_URL = {after}\n\nengine = create_async_engine(DATABASE_URL, " in text
    assert "async_url" not in text


def test_a_variable_of_a_function_is_one_of_its_own():
    making = """\
def made():
    url = "sqlite:///shop.db"
    return create_engine(url)


def other(url):
    return url
"""
    head, _, tail = DATABASE.partition("DATABASE_URL")
    tail = tail.partition("\n\n")[2].replace(
        'create_engine(DATABASE_URL, connect_args={"check_same_thread": False})', "made()"
    )
    text = written(f"{head}{making}\n\n{tail}")

    assert '    url = "sqlite+aiosqlite:///shop.db"\n    return create_async_engine(url)\n' in text


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("database", "\n\nprint(DATABASE_URL)\n"),
        ("database", '\n\nif __debug__:\n    DATABASE_URL = "sqlite:///debug.db"\n'),
        ("other", "from database import DATABASE_URL\n"),
        ("other", "import database\n\nprint(database.DATABASE_URL)\n"),
        ("other", 'NAME = "database.DATABASE_URL"\n'),
    ],
)
def test_what_others_read_or_set_as_well_stays(name, more):
    others = {} if name == "database" else {name: more}
    text = written(DATABASE + (more if name == "database" else ""), **others)

    assert '\nDATABASE_URL = "sqlite:///shop.db"\n' in text
    assert "create_async_engine(async_url(DATABASE_URL), " in text.replace("\n    ", "")


def test_the_same_name_of_another_file_is_another_one():
    text = written(other='DATABASE_URL = "sqlite:///other.db"\n\nprint(DATABASE_URL)\n')

    assert '\nDATABASE_URL = "sqlite+aiosqlite:///shop.db"\n' in text
    assert "async_url" not in text


def test_an_engine_that_stays_goes_on_with_the_variable():
    text = written(
        threads="""\
from threading import Thread

from sqlalchemy import text

from database import LocalSession


def count():
    with LocalSession() as db:
        return db.scalar(text("select 2"))


Thread(target=count).start()
"""
    )

    assert '\nDATABASE_URL = "sqlite:///shop.db"\n' in text
    assert "\nengine = create_engine(DATABASE_URL, " in text
    assert (
        '\nasync_engine = create_async_engine("sqlite+aiosqlite:///shop.db", connect_args='
        in text.replace("(\n    ", "(")
    )

"""Listeners on the events of a pool get connections of the driver, whatever they call on them."""

from __future__ import annotations

import pytest
from planned import printed, rewritten

APPLICATION = """\
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)
app = FastAPI()


def get_db():
    with SessionLocal() as db:
        yield db


@app.get("/")
def read(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))


"""
PRAGMAS = """\
def pragmas(conn, _):
    conn.execute("PRAGMA foreign_keys=ON")
    conn.commit()
"""
OF_POOLS = {
    "decorated": f'@event.listens_for(engine, "connect")\n{PRAGMAS}',
    "under a condition": (
        'if engine.name == "sqlite":\n    @event.listens_for(engine, "first_connect")\n'
        + "".join(f"    {line}\n" for line in PRAGMAS.splitlines())
    ),
    "registered": f'{PRAGMAS}\n\nevent.listen(engine, "checkout", pragmas)\n',
}
OTHERS = {
    "of sessions": f'@event.listens_for(SessionLocal, "before_flush")\n{PRAGMAS}',
    "called with a session": (
        f'{PRAGMAS}\n\nevent.listen(engine, "connect", pragmas)\n\n\n'
        '@app.get("/other")\ndef other(db: Session = Depends(get_db)):\n    pragmas(db, None)\n'
    ),
}


@pytest.mark.parametrize("name", OF_POOLS)
def test_a_listener_of_a_pool_stays_as_it_is(name):
    result = rewritten(main=APPLICATION + OF_POOLS[name])

    assert not [one for one in result.findings if str(one.level) == "manual"]
    assert b'conn.execute("PRAGMA foreign_keys=ON")' in result.files["main.py"]
    assert b"await conn" not in result.files["main.py"]


@pytest.mark.parametrize("name", OTHERS)
def test_what_others_call_is_none(name):
    result = rewritten(main=APPLICATION + OTHERS[name])

    assert [one for one in result.findings if str(one.level) == "manual"]


CHECKING = """\
import sqlite3

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)


@event.listens_for(Engine, "connect")
def pragmas(connection, _record):
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


def main():
    with SessionLocal() as db:
        print(db.scalar(text("PRAGMA foreign_keys")))


if __name__ == "__main__":
    main()
    event.remove(Engine, "connect", pragmas)
"""


def test_a_listener_knows_the_connections_of_the_new_driver(tmp_path, capsys, monkeypatch):
    files = rewritten(main=CHECKING).files
    assert b"(sqlite3.Connection, AsyncAdapt_aiosqlite_connection)" in files["main.py"]

    sides = [
        printed("main.py", each, tmp_path / side, capsys, monkeypatch)
        for side, each in (("before", {"main.py": CHECKING.encode()}), ("after", files))
    ]
    assert sides == ["1\n", "1\n"]

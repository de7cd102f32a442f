"""Listeners on the events of a pool get connections of the driver, whatever they call on them."""

from __future__ import annotations

import pytest
from planned import rewritten

APPLICATION = """\
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///x.db")
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

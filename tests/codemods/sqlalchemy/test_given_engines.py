"""Engines that a program gives to libraries: what is not known to take it is announced."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)
"""
USER = """\
from database import LocalSession, engine
from sqlalchemy import text


def price():
    with LocalSession() as db:
        return db.scalar(text("select 1"))


{}
"""
SAID = "gives `{}` an asynchronous engine, which it may not support"


def announced(use):
    result = rewritten(database=DATABASE, prices=USER.format(use))
    texts = {path: text.decode() for path, text in result.files.items()}
    assert "create_async_engine" in texts["database.py"]
    return {each.message for each in result.report.findings}, texts


@pytest.mark.parametrize(
    ("use", "shown"),
    [
        ("import apstore\nstore = apstore.Store(engine=engine)", "apstore.Store"),
        ("from tracing import Tracer\nTracer().instrument(engine)", "Tracer().instrument"),
    ],
)
def test_libraries_that_get_the_engine_are_announced(use, shown):
    said = f"prices.py {SAID.format(shown)}"
    assert any(said in message for message in announced(use)[0])


def test_libraries_that_get_its_url_are_announced():
    use = "from dbtools import exists\nexists(engine.url)"
    said = SAID.replace("an async", "the URL of an async").format("exists")
    assert any(f"prices.py {said}" in message for message in announced(use)[0])


@pytest.mark.parametrize(
    "use",
    [
        "import sqladmin\nadmin = sqladmin.Admin(None, engine)",
        "from sqlalchemy import event\nevent.contains(engine, 'connect', print)",
        "print(engine)",
        "def shown(given):\n    return 1\n\n\nshown(engine)",
    ],
)
def test_others_are_not_announced(use):
    assert not any("gives" in message for message in announced(use)[0])


def test_frames_are_read_in_a_greenlet():
    use = "import pandas\n\n\ndef rows():\n    return pandas.read_sql('select 1', con=engine)"
    messages, texts = announced(use)
    call = "greenlet_spawn(pandas.read_sql, 'select 1', con=engine.sync_engine)"
    assert call in texts["prices.py"]
    assert not any("gives" in message for message in messages)

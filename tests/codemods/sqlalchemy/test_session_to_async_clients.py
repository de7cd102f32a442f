"""Clients of tests that session-to-async refuses, or leaves, by the driver of the database."""

from __future__ import annotations

import pytest
from planned import reason_of, session_to_async

from awaken.contract import Level

APPLICATION = """\
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine("postgresql://localhost/shop")
app = FastAPI()


def get_db():
    with Session(engine) as db:
        yield db


@app.get("/")
def count(db: Session = Depends(get_db)) -> int:
    return db.scalar(text("select 1"))
"""
STATE = """\
from contextlib import asynccontextmanager


@asynccontextmanager
async def lifespan(app):
    yield {"started": True}
"""


def planned(tests: str, driver: str = "asyncpg", **files: str):
    texts = {"shop.py": APPLICATION, "tests/test_shop.py": tests}
    texts |= {f"{name}.py": text for name, text in files.items()}
    plan = session_to_async(texts, drivers={"postgresql": driver})
    here = [one for one in plan.findings if one.place.path == "tests/test_shop.py"]
    return {reason_of(one) for one in here if one.level is Level.MANUAL}, here


PLAIN = "from fastapi.testclient import TestClient\nfrom shop import app\n\n\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    TestClient(app).websocket_connect('/ws')\n", "own-client"),
        ("    print(TestClient(app).app)\n", "own-client"),
        ("    print(list(map(TestClient(app).get, ['/'])))\n", "own-client"),
        ("    TestClient(app, backend='trio').get('/')\n", "own-client"),
        ("    TestClient(*[app]).get('/')\n", "own-client"),
        ("    TestClient(**{'app': app}).get('/')\n", "own-client"),
        ("    unknown_client.post('/')\n", "unknown-client"),
    ],
)
def test_what_the_asynchronous_client_cannot_do_is_refused(body, reason):
    reasons, _ = planned(f"{PLAIN}def test_it(unknown_client):\n{body}")
    assert reason in reasons


def test_a_client_of_the_programs_own_is_refused():
    own = "class Mine(TestClient):\n    pass\n\n\ndef test_it():\n    Mine(app).get('/')\n"
    assert "own-client" in planned(PLAIN + own)[0]


def test_the_state_of_a_lifespan_is_what_only_the_synchronous_client_hands_on():
    entered = "def test_it():\n    with TestClient(app) as client:\n        client.get('/')\n"
    assert planned(PLAIN + entered)[0] == set()
    assert "own-client" in planned(PLAIN + entered, life=STATE)[0]


def test_clients_stay_where_connections_work_in_any_loop():
    _, findings = planned(f"{PLAIN}def test_it():\n    TestClient(app).get('/')\n", "psycopg")
    assert findings == []

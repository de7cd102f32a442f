"""Clients of tests that session-to-async refuses, or leaves, by the driver of the database."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

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
        ("    TestClient(app).get('/', allow_redirects=False)\n", "own-client"),
        ("    TestClient(app).delete('/', json={})\n", "own-client"),
        ("    TestClient(app).get('/', data={'a': 1})\n", "own-client"),
        ("    TestClient(app).post('/', stream=True)\n", "own-client"),
        ("    TestClient(app).head('/', verify=False)\n", "own-client"),
        ("    TestClient(app).post('/', json={}, follow_redirects=False)\n", ""),
        ("    TestClient(app).request(method='DELETE', url='/', json={})\n", ""),
        ("    TestClient(app).options('/', headers={}, params={})\n", ""),
        ("    unknown_client.post('/')\n", "unknown-client"),
    ],
)
def test_what_the_asynchronous_client_cannot_do_is_refused(body, reason):
    reasons, _ = planned(f"{PLAIN}def test_it(unknown_client):\n{body}")
    assert reasons - {"beside-another"} == ({reason} if reason else set())


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


READING = (
    APPLICATION.replace('text("select 1"))', 'text("select 1")) if request.client else 0')
    .replace("(db: S", "(request: Request, db: S")
    .replace("Depends, FastAPI", "Depends, FastAPI, Request")
)
ENTERED = f"{PLAIN}def test_it():\n    TestClient(app).get('/')\n"


def migrated(**versions):
    result = rewritten(
        options={"drivers": {"postgresql": "asyncpg"}},
        targets=versions,
        shop=READING,
        test_shop=ENTERED,
    )
    texts = {path: text.decode() for path, text in result.files.items()}
    return texts, {reason_of(one): one for one in result.report.findings}


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"httpx": "==0.13.3"}, "httpx ==0.13.3"),
        ({"httpx": "==0.19.0"}, "httpx ==0.19.0"),
        ({"httpx": "<0.20"}, "httpx <0.20"),
        ({"fastapi": "==0.85.0"}, "the test client of fastapi <0.87 is based on requests"),
        ({"starlette": "<0.21"}, "the test client of starlette <0.21 is based on requests"),
    ],
)
def test_versions_that_lack_what_is_written_are_refused(versions, said):
    texts, reasons = migrated(**versions)
    assert said in reasons["old-test-tool"].message
    assert texts["shop.py"] == READING


@pytest.mark.parametrize(
    ("versions", "requirement"),
    [({}, True), ({"httpx": ">=0.18"}, True), ({"httpx": "==0.28.1"}, False)],
)
def test_httpx_is_required_where_an_installation_may_lack_what_is_written(versions, requirement):
    texts, reasons = migrated(**versions)
    assert {*reasons} == {""}
    assert ('"httpx>=0.20"' in texts["pyproject.toml"]) is requirement


@pytest.mark.parametrize(
    ("versions", "address"),
    [
        ({"fastapi": "==0.110.0"}, "None"),
        ({"starlette": "==0.36.3"}, "None"),
        ({"fastapi": ">=0.109"}, '("testclient", 50000)'),
        ({"fastapi": "==0.110.1"}, '("testclient", 50000)'),
        ({}, '("testclient", 50000)'),
    ],
)
def test_an_application_sees_the_address_that_it_saw(versions, address):
    texts, _ = migrated(**versions)
    assert f"client={address}" in texts["test_shop.py"]

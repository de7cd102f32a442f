# pytest: yes
# rules: on-event-to-lifespan
from fastapi import FastAPI

app = FastAPI()
state: dict[str, str] = {}


def connect() -> str:
    return "real"


@app.on_event("startup")
def startup() -> None:
    state["db"] = connect()


@app.on_event("shutdown")
def shutdown() -> None:
    state.clear()


@app.get("/")
def index() -> str:
    return state["db"]


# --- tests/test_index.py
from unittest.mock import patch

from fastapi.testclient import TestClient

import main


def test_patched_connect():
    with patch("main.connect", return_value="fake"), TestClient(main.app) as client:
        assert client.get("/").json() == "fake"
    assert main.state == {}


def test_startup_called_directly():
    main.startup()
    assert main.state == {"db": "real"}
    main.shutdown()
    assert main.state == {}

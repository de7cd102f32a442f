# pytest: yes
# rules: on-event-to-lifespan
from fastapi import FastAPI

app = FastAPI()
events: list[str] = []


@app.on_event("startup")
async def warm_up() -> None:
    events.append("warm")


@app.on_event("startup")
async def load() -> None:
    events.append("load")


# --- tests/test_events.py
from fastapi.testclient import TestClient

import main


def test_no_startup(monkeypatch):
    main.events.clear()
    monkeypatch.setattr(main.app.router, "on_startup", [])
    with TestClient(main.app):
        pass
    assert main.events == []


def test_startup():
    main.events.clear()
    with TestClient(main.app):
        assert main.events == ["warm", "load"]

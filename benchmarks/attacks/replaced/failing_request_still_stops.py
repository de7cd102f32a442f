# pytest: yes
# rules: on-event-to-lifespan
import pytest
from fastapi import FastAPI

app = FastAPI()
log: list[str] = []


@app.on_event("startup")
def first() -> None:
    log.append("first")


@app.on_event("startup")
def second() -> None:
    log.append("second")
    if "break" in log:
        raise RuntimeError("second")


@app.on_event("shutdown")
def last() -> None:
    log.append("last")


@app.get("/boom")
def boom():
    raise ValueError("boom")


# --- tests/test_log.py
import pytest
from fastapi.testclient import TestClient

import main


def test_exception_in_block():
    main.log.clear()
    with pytest.raises(ValueError, match="boom"):
        with TestClient(main.app) as client:
            client.get("/boom")
    assert main.log == ["first", "second", "last"]


def test_startup_fails():
    main.log[:] = ["break"]
    with pytest.raises(RuntimeError, match="second"):
        with TestClient(main.app):
            main.log.append("inside")
    assert main.log == ["break", "first", "second"]

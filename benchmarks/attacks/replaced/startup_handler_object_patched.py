# announced: tests that replace `start_consumer` now also replace it in the lifespan
# pytest: yes
# rules: on-event-to-lifespan
from fastapi import FastAPI


class Consumer:
    def __init__(self) -> None:
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False


consumer = Consumer()
app = FastAPI()


@app.on_event("startup")
async def start_consumer() -> None:
    await consumer.start()


@app.on_event("shutdown")
async def stop_consumer() -> None:
    await consumer.stop()


@app.get("/running")
def running() -> bool:
    return consumer.running


# --- tests/test_running.py
from unittest.mock import AsyncMock, patch

from fastapi.testclient import TestClient

import main


@patch.object(main.Consumer, "start", new_callable=AsyncMock)
@patch.object(main.Consumer, "stop", new_callable=AsyncMock)
def test_mocks(stop, start):
    with TestClient(main.app) as client:
        assert client.get("/running").json() is False
        start.assert_awaited_once()
        stop.assert_not_awaited()
    stop.assert_awaited_once()


@patch("main.start_consumer")
def test_name_is_patched(start):
    with TestClient(main.app) as client:
        assert client.get("/running").json() is True
    start.assert_not_called()

# pytest: yes
# needs: pytest-asyncio
# rules: async-fixture, async-test-marker
import asyncio


async def connect() -> str:
    await asyncio.sleep(0)
    return "open"


# --- pytest.ini
[pytest]
asyncio_mode = strict
# --- tests/conftest.py
import pytest

import main

events: list[str] = []


@pytest.fixture
async def connection():
    events.append("open")
    yield await main.connect()
    events.append("close")


@pytest.fixture
def log():
    return events


# --- tests/test_connection.py
import pytest


def test_nothing_ran(log):
    assert log == []


@pytest.mark.skip(reason="later")
async def test_later(connection):
    assert connection == "open"


@pytest.mark.parametrize("n", [1, 2])
def test_n(n, log):
    assert n and log == []

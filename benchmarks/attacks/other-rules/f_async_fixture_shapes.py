# pytest: yes
# needs: pytest-asyncio
# rules: async-fixture, async-test-marker
import asyncio


async def connect() -> dict:
    await asyncio.sleep(0)
    return {"open": True}


# --- tests/test_connect.py
import pytest
import pytest_asyncio

import main

closed: list[int] = []


@pytest_asyncio.fixture
async def good():
    connection = await main.connect()
    yield connection
    closed.append(1)


@pytest.fixture
def name():
    return "n"


@pytest.mark.asyncio
async def test_good(good, name):
    assert good["open"] and name == "n"


@pytest.mark.asyncio(loop_scope="function")
class TestIt:
    async def test_inner(self, good):
        assert good == {"open": True}


def test_closed():
    assert closed == [1, 1]

# pytest: yes
# needs: pytest-asyncio anyio
# rules: async-fixture, async-test-marker
state = {"n": 0}


async def bump() -> int:
    state["n"] += 1
    return state["n"]


# --- pytest.ini
[pytest]
asyncio_mode = auto
# --- tests/conftest.py
import pytest

import main


@pytest.fixture(autouse=True)
async def reset():
    main.state["n"] = 0
    yield
    main.state["n"] = -1


@pytest.fixture
async def bumped():
    return await main.bump()


# --- tests/test_bump.py
import main


async def test_bump(bumped):
    assert bumped == 1
    assert await main.bump() == 2


def test_sync():
    assert main.state["n"] == 0


class TestClass:
    async def test_method(self, bumped):
        assert main.state["n"] == bumped == 1

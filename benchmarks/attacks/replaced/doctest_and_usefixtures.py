# pytest: yes
# rules: async-fixture, async-test-marker
# needs: pytest-asyncio
import asyncio


async def double(x: int) -> int:
    await asyncio.sleep(0)
    return x * 2


# --- tests/test_double.py
import asyncio

import pytest

import main

ran: list[str] = []


@pytest.fixture
def value():
    return 4


@pytest.mark.asyncio
async def test_double(value):
    assert await main.double(value) == 8


async def helper_not_a_test():
    ran.append("helper")


def test_sync_uses_loop():
    asyncio.run(helper_not_a_test())
    assert ran == ["helper"]


class TestMore:
    @pytest.mark.asyncio
    async def test_more(self, value):
        assert await main.double(value) + await main.double(1) == 10

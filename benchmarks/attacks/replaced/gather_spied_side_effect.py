# pytest: yes
# needs: pytest-asyncio
# rules: gather-to-taskgroup, ensure-future
import asyncio


async def fetch(n: int) -> int:
    await asyncio.sleep(0)
    return n


async def both() -> list[int]:
    return list(await asyncio.gather(fetch(1), fetch(2)))


async def guarded() -> str:
    try:
        await both()
    except ConnectionError:
        return "offline"
    return "online"


# --- tests/test_both.py
import asyncio
from unittest.mock import AsyncMock, patch

import main


def test_fetch_fails():
    with patch("main.fetch", AsyncMock(side_effect=ConnectionError("x"))):
        assert asyncio.run(main.guarded()) == "offline"


def test_fetch_order():
    seen = []

    async def fake(n):
        seen.append(n)
        return n * 10

    with patch.object(main, "fetch", fake):
        assert asyncio.run(main.both()) == [10, 20]
    assert seen == [1, 2]


def test_real():
    assert asyncio.run(main.guarded()) == "online"

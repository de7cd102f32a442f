# announced: replaces `asyncio.get_event_loop`
# pytest: yes
# rules: running-loop, executor-to-thread
import asyncio
import time


def blocking(x: int) -> int:
    return x + 1


async def compute(x: int) -> int:
    loop = asyncio.get_event_loop()
    return await loop.run_in_executor(None, blocking, x)


async def clock() -> float:
    return asyncio.get_event_loop().time()


# --- tests/test_compute.py
import asyncio
from unittest.mock import AsyncMock, MagicMock, patch

import main


def test_executor_is_mocked():
    loop = MagicMock()
    loop.run_in_executor = AsyncMock(return_value=99)
    with patch("main.asyncio.get_event_loop", return_value=loop):
        assert asyncio.run(main.compute(1)) == 99
    loop.run_in_executor.assert_awaited_once_with(None, main.blocking, 1)


def test_clock():
    loop = MagicMock(**{"time.return_value": 5.0})
    with patch.object(asyncio, "get_event_loop", lambda: loop):
        assert asyncio.run(main.clock()) == 5.0

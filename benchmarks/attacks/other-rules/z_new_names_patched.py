# announced: replaces `asyncio.to_thread`
# pytest: yes
# rules: executor-to-thread, running-loop, ensure-future, wait-for-to-timeout
import asyncio


def read(n: int) -> int:
    return n + 1


async def work(n: int) -> int:
    return n


async def load() -> int:
    loop = asyncio.get_event_loop()
    return await loop.run_in_executor(None, read, 1)


async def spawn() -> int:
    task = asyncio.ensure_future(work(3))
    return await task


# --- tests/test_load.py
import asyncio
from unittest.mock import AsyncMock, patch

import main


def test_no_threads_by_to_thread():
    with patch("asyncio.to_thread", AsyncMock(return_value=-1)):
        assert asyncio.run(main.load()) == 2


def test_create_task_not_used():
    with patch("asyncio.create_task", side_effect=AssertionError("not used")):
        assert asyncio.run(main.spawn()) == 3


def test_get_running_loop_not_used(monkeypatch):
    calls = []
    original = asyncio.get_running_loop

    def counted():
        calls.append(1)
        return original()

    monkeypatch.setattr(asyncio, "get_running_loop", counted)
    assert asyncio.run(main.spawn()) == 3
    assert calls == []

# announced: replaces `wait_for`
# pytest: yes
# rules: wait-for-to-timeout, executor-to-thread
import asyncio
from asyncio import wait_for


def read() -> str:
    return "data"


async def load() -> str:
    loop = asyncio.get_event_loop()
    return await loop.run_in_executor(None, read)


async def limited() -> str:
    try:
        return await wait_for(load(), 2)
    except TimeoutError:
        return "late"


# --- tests/test_limited.py
import asyncio

import main


def test_limit(monkeypatch):
    async def late(awaitable, seconds):
        awaitable.close()
        assert seconds == 2
        raise TimeoutError

    monkeypatch.setattr(main, "wait_for", late)
    assert asyncio.run(main.limited()) == "late"


def test_load():
    assert asyncio.run(main.limited()) == "data"

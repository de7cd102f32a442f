# announced: replaces `time.sleep`
# pytest: yes
# rules: blocking-call, executor-to-thread
import asyncio
import time


async def poll(n: int) -> int:
    for _ in range(n):
        time.sleep(5)
    return n


async def heavy(n: int) -> int:
    return await asyncio.get_running_loop().run_in_executor(None, sum, range(n))


# --- tests/test_poll.py
import asyncio

import pytest

import main


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    yield slept


def test_poll(no_sleep):
    assert asyncio.run(main.poll(3)) == 3
    assert no_sleep == [5, 5, 5]


def test_heavy():
    assert asyncio.run(main.heavy(4)) == 6

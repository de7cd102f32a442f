# pytest: yes
# rules: executor-to-thread, running-loop
import asyncio
import threading


def where() -> str:
    return threading.current_thread() is threading.main_thread() and "main" or "thread"


async def ask() -> str:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, where)


# --- tests/conftest.py
import asyncio

import pytest


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    def inline(self, executor, function, *args):
        future = self.create_future()
        future.set_result(function(*args))
        return future

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", inline)


# --- tests/test_ask.py
import asyncio

import main


def test_ask_inline():
    assert asyncio.run(main.ask()) == "main"

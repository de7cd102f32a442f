# announced: replaces `asyncio.create_task`
# pytest: yes
# rules: ensure-future, dangling-task, gather-to-taskgroup
import asyncio

done: list[str] = []


async def job(name: str) -> None:
    await asyncio.sleep(0)
    done.append(name)


async def start() -> None:
    asyncio.ensure_future(job("a"))
    asyncio.create_task(job("b"))
    await asyncio.sleep(0.01)


# --- tests/test_start.py
import asyncio
from unittest.mock import patch

import main


def test_ensure_future_is_used():
    with patch("asyncio.ensure_future", wraps=asyncio.ensure_future) as spy:
        asyncio.run(main.start())
    assert spy.call_count == 1
    assert main.done == ["a", "b"]


def test_create_task_replaced(monkeypatch):
    main.done.clear()
    names = []

    def fake(coroutine):
        names.append(coroutine.cr_frame.f_locals["name"])
        coroutine.close()

    monkeypatch.setattr(main.asyncio, "create_task", fake)
    asyncio.run(main.start())
    assert names == ["b"] and main.done == ["a"]

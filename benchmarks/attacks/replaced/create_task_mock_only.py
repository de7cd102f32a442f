# announced: replaces `asyncio.create_task`
# pytest: yes
# rules: ensure-future, dangling-task
import asyncio


async def notify(user: str) -> None:
    await asyncio.sleep(0)


async def register(user: str) -> str:
    asyncio.create_task(notify(user))
    return f"registered {user}"


# --- tests/test_register.py
import asyncio
from unittest.mock import MagicMock, patch

import main


def test_register_starts_task():
    with patch("main.asyncio.create_task") as create, patch("main.notify", new=MagicMock()) as notify:
        assert asyncio.run(main.register("ann")) == "registered ann"
    create.assert_called_once_with(notify.return_value)


def test_register_task_is_none(monkeypatch):
    monkeypatch.setattr("main.asyncio.create_task", lambda coroutine: coroutine.close())
    assert asyncio.run(main.register("bob")) == "registered bob"

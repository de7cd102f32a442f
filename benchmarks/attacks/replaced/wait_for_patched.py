# announced: replaces `asyncio.wait_for`
# pytest: yes
# rules: wait-for-to-timeout
# python: 3.11
import asyncio


async def ping() -> str:
    return "pong"


async def check() -> str:
    try:
        return await asyncio.wait_for(ping(), timeout=5)
    except asyncio.TimeoutError:
        return "timeout"


# --- tests/test_check.py
import asyncio
from unittest.mock import patch

import main


def test_timeout_simulated():
    def fail(coroutine, timeout):
        coroutine.close()
        raise asyncio.TimeoutError

    with patch("asyncio.wait_for", side_effect=fail):
        assert asyncio.run(main.check()) == "timeout"


def test_real():
    assert asyncio.run(main.check()) == "pong"

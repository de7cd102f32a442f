# announced: replaces `async_timeout.timeout`
# pytest: yes
# needs: async-timeout
# rules: async-timeout-to-asyncio
import asyncio

import async_timeout


async def fetch() -> str:
    try:
        async with async_timeout.timeout(5):
            await asyncio.sleep(0)
            return "data"
    except asyncio.TimeoutError:
        return "late"


# --- tests/test_fetch.py
import asyncio
from unittest.mock import patch

import async_timeout
import main


class Expired:
    def __init__(self, seconds):
        assert seconds == 5

    async def __aenter__(self):
        raise asyncio.TimeoutError

    async def __aexit__(self, *exc):
        return False


def test_late():
    with patch.object(async_timeout, "timeout", Expired):
        assert asyncio.run(main.fetch()) == "late"


def test_fast():
    assert asyncio.run(main.fetch()) == "data"

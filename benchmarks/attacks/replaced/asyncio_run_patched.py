# pytest: yes
# rules: asyncio-run, running-loop
import asyncio


async def work() -> int:
    return 3


def start() -> int:
    loop = asyncio.get_event_loop()
    return loop.run_until_complete(work())


# --- tests/test_start.py
import asyncio
from unittest.mock import MagicMock, patch

import main


def test_loop_is_mocked():
    loop = MagicMock()
    loop.run_until_complete.side_effect = lambda coroutine: coroutine.close() or 11
    with patch("asyncio.get_event_loop", return_value=loop):
        assert main.start() == 11


def test_loop_is_set():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert main.start() == 3
        assert not loop.is_closed()
        assert asyncio.get_event_loop() is loop
    finally:
        loop.close()

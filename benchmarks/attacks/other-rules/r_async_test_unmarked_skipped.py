# announced: it may fail or affect later tests
# pytest: yes
# needs: pytest-asyncio
# rules: async-fixture, async-test-marker
import asyncio

state: list[int] = []


async def push(n: int) -> int:
    await asyncio.sleep(0)
    state.append(n)
    return len(state)


# --- pytest.ini
[pytest]
asyncio_mode = strict
# --- tests/test_push.py
import sys

import pytest

import main


@pytest.mark.asyncio
async def test_marked():
    assert await main.push(1) == 1


@pytest.mark.xfail(reason="not run", strict=False)
async def test_unmarked():
    main.state.clear()
    assert await main.push(5) == 99


def test_state():
    assert main.state == [1]


@pytest.mark.skipif(sys.version_info > (3,), reason="old")
async def test_skipped():
    assert False

# announced: replaces `audit`
# pytest: yes
# rules: missing-await, swallowed-cancellation
import asyncio

log: list[str] = []


async def audit(what: str) -> None:
    log.append(what)


async def act() -> str:
    audit("act")
    return "done"


async def guard(inner) -> str:
    try:
        return await inner()
    except asyncio.CancelledError:
        log.append("cancelled")
    return "stopped"


# --- tests/test_act.py
import asyncio
from unittest.mock import Mock, patch

import pytest

import main


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_act_does_not_wait():
    with patch("main.audit", new=Mock(return_value=None)) as audit:
        assert asyncio.run(main.act()) == "done"
    audit.assert_called_once_with("act")


def test_cancelled_inner():
    async def inner():
        raise asyncio.CancelledError

    assert asyncio.run(main.guard(inner)) == "stopped"
    assert main.log == ["cancelled"]

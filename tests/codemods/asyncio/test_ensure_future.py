"""What a test replaces shows in ensure-future: both sides are run, and the level says so."""

from __future__ import annotations

import sys
from textwrap import dedent
from types import ModuleType

import pytest
from small_programs import files_after, findings

MAIN = """\
import asyncio


class Client:
    async def ping(self):
        return "class"


client = Client()


async def ping():
    return "function"


async def main():
    {first}
    return await task
"""
TEST = """\
import asyncio
from unittest.mock import Mock, patch

import main

calls = []


def done(*args):
    future = asyncio.get_running_loop().create_future()
    future.set_result("double")
    return future


def spy(function):
    def called(*args, **options):
        calls.append(function.__name__)
        return function(*args, **options)

    return called


async def run():
    {setup}
    try:
        return await main.main(), calls
    except TypeError as error:
        return repr(error)
    finally:
        patch.stopall()


def test_it():
    return asyncio.run(run())
"""
FUNCTION = "task = asyncio.ensure_future(ping())"
METHOD = "task = asyncio.ensure_future(client.ping())"
LOOP = "task = asyncio.get_running_loop().create_task(ping())"
CASES = {
    "nothing": (FUNCTION, "pass", "safe"),
    "another function": (FUNCTION, 'patch("main.Client", Mock()).start()', "safe"),
    "the function, by its name": (FUNCTION, 'patch("main.ping", done).start()', "unsafe"),
    "the function, of its module": (FUNCTION, 'patch.object(main, "ping", done).start()', "unsafe"),
    "a variable": (
        "made = ping()\n    task = asyncio.ensure_future(made)",
        'patch("main.ping", done).start()',
        "unsafe",
    ),
    "an assignment": (FUNCTION, "main.ping = done", "unsafe"),
    "a method of a class": (METHOD, 'patch.object(main.Client, "ping", done).start()', "unsafe"),
    "a method of an object": (METHOD, "main.client.ping = done", "unsafe"),
    "a function of asyncio": (
        "task = asyncio.ensure_future(asyncio.sleep(0, 'slept'))",
        'patch("asyncio.sleep", done).start()',
        "unsafe",
    ),
    "what is called no longer": (
        FUNCTION,
        'patch("asyncio.ensure_future", spy(asyncio.ensure_future)).start()',
        "unsafe",
    ),
    "what is called now": (
        FUNCTION,
        'patch("asyncio.create_task", spy(asyncio.create_task)).start()',
        "unsafe",
    ),
    "what gave the loop": (
        LOOP,
        'patch("asyncio.get_running_loop", spy(asyncio.get_running_loop)).start()',
        "unsafe",
    ),
}


def outcome(monkeypatch, files):
    for name in ("main", "test_main"):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(files[f"{name}.py"], module.__dict__)
    return sys.modules["test_main"].test_it()


@pytest.mark.parametrize(("first", "setup", "level"), CASES.values(), ids=CASES)
def test_what_a_test_replaces(first, setup, level, monkeypatch):
    files = {"main": MAIN.format(first=first), "test_main": dedent(TEST.format(setup=setup))}

    (finding,) = findings("ensure-future", files["main"], test_main=files["test_main"])
    sides = [
        outcome(monkeypatch, made)
        for made in (
            {f"{name}.py": text for name, text in files.items()},
            files_after("ensure-future", files["main"], test_main=files["test_main"]),
        )
    ]

    assert finding.level == level
    assert (sides[0] != sides[1]) is (level == "unsafe")

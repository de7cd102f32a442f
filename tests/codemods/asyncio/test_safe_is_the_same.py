"""What makes a rewrite of asyncio different that would else be safe, and its nearest relatives."""

from __future__ import annotations

import pytest
from small_programs import findings, levels

LISTED = """
import asyncio
{above}
async def main():
    await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2)){behind}
"""


@pytest.mark.parametrize(
    ("above", "behind", "is_said"),
    [
        ("", "", False),
        ("", "\n    return locals()", True),
        ("", "\n    return vars()", True),
        ("", "\n    return eval('1')", True),
        ("", "\n    return vars(main)", False),
        ("", "\n    return locals()['x']", False),
        ("", "\n    def inner():\n        return locals()", False),
        ("def locals(): ...\n", "\n    return locals()", False),
    ],
)
def test_code_that_sees_the_names_of_a_task_group(above, behind, is_said):
    (finding,) = findings("gather-to-taskgroup", LISTED.format(above=above, behind=behind))
    assert finding.level == "unsafe"
    assert ("sees additional names" in finding.message) is is_said


RAISING = """
import asyncio
{above}
async def bad(): raise KeyError

async def main():
    try:
        await asyncio.gather(bad(), bad())
    except KeyError:
        return 1
"""


@pytest.mark.parametrize(
    ("above", "outcome"),
    [
        ("", "unsafe"),
        ("class BaseExceptionGroup(Exception): ...\n", "name-taken"),
        ("BaseExceptionGroup = None\n", "name-taken"),
    ],
)
def test_the_exception_group_is_that_of_python(above, outcome):
    assert levels("gather-to-taskgroup", RAISING.format(above=above)) == [outcome]


STARTED = """
import asyncio
{above}
async def work(): ...

def start():
    asyncio.create_task(work()){behind}
"""


@pytest.mark.parametrize(
    ("above", "behind", "outcome"),
    [
        ("", "", "safe"),
        ("", "\n    return locals()", "names-listed"),
        ("", "\n    return sorted(dir())", "names-listed"),
        ("names = list(globals())\n", "", "names-listed"),
        ("names = vars()\n", "", "names-listed"),
        ("", "\n    return list(globals())", "names-listed"),
        ("x = globals()['start']\n", "", "safe"),
        ("globals().update(a=1)\n", "", "safe"),
        ("_background_tasks = set()\nnames = list(globals())\n", "", "safe"),
    ],
)
def test_a_task_that_is_kept_shows_nowhere(above, behind, outcome):
    assert levels("dangling-task", STARTED.format(above=above, behind=behind)) == [outcome]


THREADED = """
import asyncio
{above}
{kind} work(): ...

class Worker:
    def __init__(self):
        self.plain = asyncio.new_event_loop()

    @property
    def asked(self) -> asyncio.AbstractEventLoop:
        print("asked")
        return asyncio.get_running_loop()

    async def run(self):
        loop = asyncio.get_running_loop()
        await {loop}.run_in_executor(None, work)
"""


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        ({}, "safe"),
        ({"loop": "self.plain"}, "safe"),
        ({"loop": "self.asked"}, "unsafe"),
        ({"kind": "async def"}, "unsafe"),
        ({"above": "import decimal\ndecimal.getcontext().prec = 3\n"}, "unsafe"),
        (
            {"above": "class Loop(asyncio.EventLoop):\n    def run_in_executor(self): ...\n"},
            "unsafe",
        ),
    ],
)
def test_what_a_thread_is_given_and_by_whom(parts, level):
    text = {"above": "", "kind": "def", "loop": "loop", **parts}
    assert levels("executor-to-thread", THREADED.format(**text)) == [level]


TIMED = """
import asyncio
import async_timeout

async def main():
    async with async_timeout.timeout(1):
        await asyncio.sleep(2)

async def start():
    try:
        await main()
    except TimeoutError as error:
        return {read}
"""


@pytest.mark.parametrize(
    ("read", "version", "level"),
    [
        ("str(error)", "<5", "safe"),
        ("error.__cause__", "<5", "unsafe"),
        ("error.__cause__", ">=5", "safe"),
        ("asyncio.current_task().cancelling()", ">=4", "unsafe"),
        ("asyncio.current_task().cancelling()", ">=4.0.3", "safe"),
        ("asyncio.current_task().uncancel()", ">=3", "unsafe"),
    ],
)
def test_what_an_old_version_of_async_timeout_leaves(read, version, level):
    targets = {"async-timeout": version}
    text = TIMED.format(read=read)
    assert levels("async-timeout-to-asyncio", text, targets) == [level]


ASKED = "import asyncio\n\nasync def main():\n    return asyncio.get_event_loop()\n"


@pytest.mark.parametrize(
    ("other", "level"),
    [
        ("", "safe"),
        ("import asyncio\nasyncio.get_event_loop = None\n", "unsafe"),
        ("import asyncio as aio\naio.get_event_loop=print\n", "unsafe"),
        ("import shop\nshop.get_event_loop = print\n", "safe"),
        ("import asyncio\nloop = asyncio.get_event_loop = print\n", "unsafe"),
        ("import main\nmain.main().send(None)\n", "unsafe"),
    ],
)
def test_what_else_asks_for_the_loop(other, level):
    assert levels("running-loop", ASKED, other=other) == [level]


RUN = """
import asyncio
{above}
async def main():
    {body}

if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
    {behind}loop.close()
"""


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ({}, "safe"),
        ({"body": "asyncio.create_task(asyncio.sleep(9))"}, "unsafe"),
        ({"body": "await asyncio.gather(asyncio.sleep(9))"}, "unsafe"),
        ({"above": "async def rows():\n    yield 1\n"}, "unsafe"),
        (
            {
                "above": "async def rows():\n    yield 1\n",
                "behind": "loop.run_until_complete(loop.shutdown_asyncgens())\n    ",
            },
            "safe",
        ),
        ({"above": "def rows():\n    yield 1\n"}, "safe"),
        ({"above": "import aiohttp\n"}, "unsafe"),
        ({"above": "import json\n"}, "safe"),
        ({"above": "def again():\n    return asyncio.get_event_loop()\n"}, "several-runs"),
    ],
)
def test_what_is_left_when_the_coroutine_ends(parts, outcome):
    text = {"above": "", "body": "await asyncio.sleep(0)", "behind": "", **parts}
    assert levels("asyncio-run", RUN.format(**text)) == [outcome]


DRIVEN = """
import asyncio
import operator

async def load():
    return asyncio.get_event_loop()

def drive(coroutine, value=None):
    try:
        {}
    except StopIteration as stopped:
        return stopped.value

loop = drive(load())
"""


@pytest.mark.parametrize(
    ("driving", "level"),
    [
        ("step = coroutine.send\n        step(value)", "unsafe"),
        ("coroutine.send(value)", "unsafe"),
        ("getattr(coroutine, 'send')(value)", "unsafe"),
        ("operator.methodcaller('send', value)(coroutine)", "unsafe"),
        ("operator.methodcaller('close')(coroutine)", "safe"),
        ("asyncio.run(coroutine)", "safe"),
        ("client = Client()\n        client.send(value)", "safe"),
    ],
)
def test_code_that_drives_a_coroutine(driving, level):
    assert levels("running-loop", DRIVEN.format(driving)) == [level]

"""What makes a rewrite of asyncio different that would else be safe, and its nearest relatives."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings


def levels(rule, text, **others):
    """Return the level of each site of a file, with the reason of one that stays."""
    texts = {"main": text, **others}
    files = {f"{name}.py": dedent(text).encode() for name, text in texts.items()}
    case = Case(
        name="it",
        family="asyncio",
        rule=rule,
        directory=Path(),
        settings=Settings(published=False, targets={"python": "3.11"}),
        before=files,
        after=files,
        program={},
    )
    report = run_case(case).report
    assert report.diagnostics == ()
    found = [one for one in report.findings if one.place.path == "main.py"]
    return [(one.reason or one.level).rpartition("/")[2] for one in found]


GATHERED = """
import asyncio
{above}
async def main({parameters}):
    await asyncio.gather(asyncio.sleep(1), {other}){behind}
"""


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        ({}, "safe"),
        ({"behind": "\n    return locals()"}, "unsafe"),
        ({"behind": "\n    return vars()"}, "unsafe"),
        ({"behind": "\n    return eval('1')"}, "unsafe"),
        ({"behind": "\n    return vars(main)"}, "safe"),
        ({"behind": "\n    return locals()['x']"}, "safe"),
        ({"behind": "\n    def inner():\n        return locals()"}, "safe"),
        ({"above": "def locals(): ...\n", "behind": "\n    return locals()"}, "safe"),
        ({"above": "asyncio.sleep = print\n"}, "unsafe"),
        ({"above": "def f(queue: asyncio.Queue = None): ...\n"}, "safe"),
        ({"above": "if asyncio.sleep == print: ...\n"}, "safe"),
        ({"parameters": "n", "other": "asyncio.sleep(n)"}, "unsafe"),
        ({"parameters": "n: float", "other": "asyncio.sleep(n)"}, "safe"),
        ({"parameters": "n: int", "other": "asyncio.sleep(n * 0.5)"}, "safe"),
        ({"other": "asyncio.sleep(None)"}, "unsafe"),
        ({"other": "asyncio.sleep(*[1])"}, "unsafe"),
    ],
)
def test_what_a_gather_may_raise_or_show(parts, level):
    text = {"above": "", "parameters": "", "other": "asyncio.sleep(2)", "behind": "", **parts}
    assert levels("gather-to-taskgroup", GATHERED.format(**text)) == [level]


APPENDED = """
import asyncio
{above}
async def put(box: list):
    await asyncio.sleep(0)
    box.append(1)

async def main(box: list):
    await asyncio.gather(put(box), put(box))
"""


@pytest.mark.parametrize(
    ("above", "level"),
    [
        ("", "safe"),
        ("class Full(list):\n    def append(self, x):\n        raise OverflowError\n", "unsafe"),
        (
            "class Named(list): ...\nclass Full(Named):\n    def append(self, x):\n        1 / 0\n",
            "unsafe",
        ),
        ("class Named(list):\n    def name(self):\n        return 1\n", "safe"),
        ("class Full(dict):\n    def append(self, x):\n        raise OverflowError\n", "safe"),
    ],
)
def test_methods_that_a_subclass_of_a_builtin_class_replaces(above, level):
    assert levels("gather-to-taskgroup", APPENDED.format(above=above)) == [level]


ENDED = """
import asyncio

class Job:
    def cancel(self): ...

def stop():
    {helper}

def stop_all():
    stop()

async def first():
    {first}

async def main():
    await asyncio.gather(first(), asyncio.sleep(0))
"""


@pytest.mark.parametrize(
    ("first", "helper", "level"),
    [
        ("return 1", "pass", "safe"),
        ("stop_all()", "pass", "safe"),
        ("raise asyncio.CancelledError", "pass", "unsafe"),
        ("raise SystemExit(1)", "pass", "unsafe"),
        ("asyncio.current_task().cancel()", "pass", "unsafe"),
        ("stop()", "raise asyncio.CancelledError", "unsafe"),
        ("stop_all()", "raise asyncio.CancelledError", "unsafe"),
        ("stop_all()", "raise KeyboardInterrupt", "unsafe"),
    ],
)
def test_a_coroutine_that_ends_its_own_task(first, helper, level):
    assert levels("gather-to-taskgroup", ENDED.format(first=first, helper=helper)) == [level]


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

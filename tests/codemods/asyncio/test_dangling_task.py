"""A set of tasks is one name more in its file: whoever lists the names of the file would see it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from types import ModuleType

import pytest
from small_programs import files_after, levels

MAIN = """\
import asyncio
import sys


async def job():
    await asyncio.sleep(0)


async def start():
    asyncio.create_task(job())


def names():
    return {names}
"""
LISTS = {
    "dir of its own module": ("sorted(dir(sys.modules[__name__]))", "main.names()"),
    "vars of its own module": ("sorted(vars(sys.modules[__name__]))", "main.names()"),
    "its namespace": ("sorted(sys.modules[__name__].__dict__)", "main.names()"),
    "dir, from elsewhere": ("None", "dir(main)"),
    "vars, from elsewhere": ("None", "sorted(vars(main))"),
    "its namespace, from elsewhere": ("None", "sorted(main.__dict__)"),
    "members, from elsewhere": ("None", "[name for name, _ in inspect.getmembers(main)]"),
}
READS = {
    "one name": ("None", "main.__dict__['names'] is main.names"),
    "names of something else": ("None", "sorted(vars(main.Plain()))"),
}
OTHER = """\
import inspect

import main


def show():
    return {shown}
"""


def shown(monkeypatch, files):
    for name in ("main", "other"):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(files[f"{name}.py"], module.__dict__)
    return sys.modules["other"].show()


@pytest.mark.parametrize(
    ("names", "show"), [*LISTS.values(), *READS.values()], ids=[*LISTS, *READS]
)
def test_who_lists_the_names_of_the_file(names, show, monkeypatch):
    main = MAIN.replace("{names}", names)
    main += "\n\nclass Plain:\n    def __init__(self):\n        self.a = 1\n"
    other = OTHER.replace("{shown}", show)

    is_read = (names, show) in READS.values()
    assert levels("dangling-task", main, other=other) == (["safe"] if is_read else ["names-listed"])
    before = {"main.py": main, "other.py": other}
    after = files_after("dangling-task", main, other=other)
    assert shown(monkeypatch, before) == shown(monkeypatch, after)


TASKS = """\
import asyncio
import weakref

seen = []


class Page:
    pass


async def fails():
    raise ValueError


async def reads():
    page = Page()
    weakref.finalize(page, seen.append, "gone")
    return page


def note(loop, context):
    seen.append(context["message"])


{function}
"""
ENDS = {
    "a failure, and a pause behind": """\
async def main():
    asyncio.get_running_loop().set_exception_handler(note)
    asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    seen.append("goes on")
""",
    "a result, and a pause behind": """\
async def main():
    asyncio.create_task(reads())
    await asyncio.sleep(0.01)
    seen.append("goes on")
""",
    "in a loop": """\
async def main():
    asyncio.get_running_loop().set_exception_handler(note)
    for number in range(2):
        await asyncio.sleep(0.01)
        seen.append(number)
        asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    seen.append("goes on")
""",
    "two tasks": """\
async def main():
    asyncio.create_task(reads())
    asyncio.get_running_loop().create_task(reads())
    await asyncio.sleep(0.01)
    seen.append("goes on")
""",
    "of a future or a coroutine": """\
async def main():
    asyncio.ensure_future(reads())
    await asyncio.sleep(0.01)
    seen.append("goes on")
""",
    "before yield": """\
async def steps():
    asyncio.create_task(reads())
    yield
    seen.append("goes on")


async def main():
    async for _ in steps():
        await asyncio.sleep(0.01)
""",
    "by a loop that runs here": """\
def start():
    loop = asyncio.new_event_loop()
    loop.create_task(reads())
    loop.run_until_complete(asyncio.sleep(0.01))
    seen.append("goes on")
    loop.close()


async def main():
    await asyncio.to_thread(start)
""",
    "no pause behind": """\
def start():
    asyncio.create_task(reads())
    seen.append("goes on")


async def main():
    start()
    await asyncio.sleep(0.01)
""",
}


@pytest.mark.parametrize("ending", ENDS)
def test_what_a_task_leaves_ends_when_it_did(ending):
    text = TASKS.replace("{function}", ENDS[ending])
    after = files_after("dangling-task", text)["main.py"]

    sides = []
    for source in (text, after):
        names: dict[str, object] = {}
        exec(source, names)
        asyncio.run(names["main"]())
        sides.append(names["seen"])
    assert "_background_tasks.add(" in after
    assert sides[0] == sides[1]
    assert ("    del task" in after) is (ending != "no pause behind")

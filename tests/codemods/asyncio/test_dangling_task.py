"""A set of tasks is one name more in its file: whoever lists the names of the file would see it."""

from __future__ import annotations

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

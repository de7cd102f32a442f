"""A lambda that a thread calls: what it names may be rebound before the thread begins."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from textwrap import indent

import pytest
from small_programs import files_after, findings

PROGRAM = """\
import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor


class Store:
    path = "old"

    def read(self, path="old", **more):
        return path, sorted(more.items())

    def other(self, path="old"):
        return "other", path


store = Store()
limit = "old"


def join(*parts):
    return "-".join(parts)


def changed(*parts):
    return "changed"


async def main():
    global limit
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    begun, gate = threading.Event(), threading.Event()
    loop.run_in_executor(None, gate.wait)
    own, name = Store(), "old"

    async def change():
        nonlocal name
        await asyncio.sleep(0.01)
{change}
        gate.set()

    task = asyncio.create_task(change())
{body}
    await task
    return result
"""
AWAITED = "result = await loop.run_in_executor(None, lambda: {})"
CASES = {
    # what the lambda calls, what changes meanwhile, and whether the lambda may go
    "an attribute": ("own.read(own.path)", 'own.path = "new"', False),
    "an attribute of a module": ("join(store.path)", 'store.path = "new"', False),
    "a keyword": ("own.read(path=own.path)", 'own.path = "new"', False),
    "a name of a module": ("join(limit)", 'globals()["limit"] = "new"', False),
    "a variable that an inner function rebinds": ("join(name)", 'name = "new"', False),
    "a method that is replaced": ("own.read('a')", "own.read = own.other", False),
    "the object": (
        "store.read('a')",
        "globals()['store'] = type('New', (Store,), {'read': Store.other})()",
        False,
    ),
    "constants": ("join('a', 'b')", "pass", True),
    "a function of a library": ("os.fspath('a')", "pass", True),
    "a name of a library": ("os.fspath(os.curdir)", "os.curdir = '..'", False),
    "a method": ("own.read('a', by=2)", "own.path = 'new'", True),
    "a variable of its own": ("join(own.__class__.__name__)", "pass", False),
    "a variable that nobody rebinds": ("own.read(mine)", "pass", True),
}


def outcome(text):
    names = {}
    exec(text, names)
    with contextlib.redirect_stdout(io.StringIO()):
        return asyncio.run(names["main"]())


def both_sides(change, body):
    text = PROGRAM.replace("{change}", indent(change, " " * 8))
    text = text.replace("{body}", indent(body, "    "))
    after = files_after("executor-to-thread", text)["main.py"]
    levels = [one.level for one in findings("executor-to-thread", text)]
    assert outcome(text) == outcome(after)
    return after, levels


@pytest.mark.parametrize(("called", "change", "goes"), CASES.values(), ids=CASES)
def test_what_may_be_rebound_stays_in_its_lambda(called, change, goes, monkeypatch):
    monkeypatch.setattr(os, "curdir", os.curdir)
    body = "mine = 'mine'\n" + AWAITED.format(called)
    after, levels = both_sides(change, body)

    assert levels[-1] == "safe"
    assert ("lambda" not in after) is goes
    assert "asyncio.to_thread(" in after


def test_each_lambda_of_a_comprehension_sees_the_last_item():
    body = "result = await asyncio.gather(\n"
    body += "    *[loop.run_in_executor(None, lambda: join(one)) for one in 'abc']\n)"
    after, _ = both_sides("pass", body)

    assert "asyncio.to_thread(lambda: join(one)) for one in" in after


CONTEXTS = {
    "contextvars": (
        "from contextvars import ContextVar\nkept = ContextVar('kept', default=0)",
        "kept.set(1)",
        "kept.get()",
    ),
    "decimal": (
        "import decimal",
        "decimal.getcontext().prec = 3",
        "str(decimal.Decimal(1) / 3)",
    ),
    "flask": (
        "import flask\napp = flask.Flask('app')",
        "app.app_context().push()",
        "flask.has_app_context()",
    ),
    "opentelemetry": (
        "from opentelemetry import context",
        "context.attach(context.set_value('key', 1))",
        "context.get_value('key')",
    ),
}


@pytest.mark.parametrize(("head", "first", "read"), CONTEXTS.values(), ids=CONTEXTS)
def test_the_context_variables_of_a_library_reach_the_thread(head, first, read):
    text = f"import asyncio\n{head}\n\ndef work():\n    return {read}\n\n"
    text += f"async def main():\n    {first}\n    loop = asyncio.get_running_loop()\n"
    text += "    return await loop.run_in_executor(None, work)\n"

    (finding,) = findings("executor-to-thread", text)

    assert outcome(text) != outcome(files_after("executor-to-thread", text)["main.py"])
    assert finding.level == "unsafe"
    assert "sees the context variables of its caller" in finding.message

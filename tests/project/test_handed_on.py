"""Functions that are handed on: what may be called where, and what leads out of sight."""

from __future__ import annotations

import pytest
from programs import program

from awaken.project.graph.forwards.passed.slots import Depth

WORK = """\
def work():
    pass


def other():
    pass


"""


def components(text):
    project = program({"app.py": WORK + text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")
    return project, handed.components_of(work)


def only(text):
    project, found = components(text)
    assert len(found) == 1
    return project, found[0]


REACHED = {
    "parameter": (
        """\
def run(call):
    call()


run(work)
""",
        {"work"},
        1,
    ),
    "handed on twice": (
        """\
def inner(call):
    call()


def outer(call):
    inner(call)


outer(work)
""",
        {"work"},
        1,
    ),
    "all arguments": (
        """\
def run(name, *calls):
    for call in calls:
        call()


run("first", work, other)
""",
        {"work", "other"},
        1,
    ),
    "all arguments put into a list": (
        """\
class Jobs:
    daily: list = []

    @staticmethod
    def _add(jobs, given):
        for one in given:
            jobs.append(one)

    @staticmethod
    def add(*given):
        Jobs._add(Jobs.daily, given)


Jobs.add(other)
Jobs.add(work)
for job in Jobs.daily:
    job()
""",
        {"work", "other"},
        1,
    ),
    "two callers": (
        """\
def run(call):
    call()


run(work)
run(other)
""",
        {"work", "other"},
        1,
    ),
    "default": (
        """\
def run(call=None):
    if call is not None:
        call()


run()
run(call=work)
""",
        {"work"},
        1,
    ),
    "variable": (
        """\
def run(which):
    call = work if which else other
    call()
""",
        {"work", "other"},
        1,
    ),
    "dictionary": (
        """\
TABLE = {'a': work, 'b': other}


def run(name):
    TABLE[name]()
""",
        {"work", "other"},
        1,
    ),
    "get with a default": (
        """\
TABLE = {'a': work}


def run(name):
    return TABLE.get(name, other)()
""",
        {"work", "other"},
        1,
    ),
    "list": (
        """\
CALLS = []
CALLS.append(work)


def run():
    for call in [*CALLS, other]:
        call()
    for number, call in enumerate(CALLS):
        call()
""",
        {"work", "other"},
        2,
    ),
    "one key of several": (
        """\
def run(names):
    checks = [{'call': work, 'name': names, 'rest': [other]}]
    for check in checks:
        print(check['name'], check['rest'], check["call"]())


run('a')
""",
        {"work"},
        1,
    ),
    "a key that gets it from another": (
        """\
def run():
    table = {'a': work, 'b': other}
    table['b'] = table['a']
    table['b']()


run()
""",
        {"other", "work"},
        1,
    ),
    "a computed key": (
        """\
def run(name):
    table = {'a': work, 'b': other}
    table[name]()


run('a')
""",
        {"other", "work"},
        1,
    ),
    "a key of a copy": (
        """\
def run():
    table = {'b': other, **{'a': work}}
    for name, call in table.copy().items():
        call()
    dict(table)['a']()


run()
""",
        {"other", "work"},
        2,
    ),
    "a key by a method": (
        """\
def run():
    table = {'b': other}
    table.setdefault('a', work)
    table['b']()
    table.get('a')()


run()
""",
        {"other", "work"},
        2,
    ),
    "pairs": (
        """\
TABLE = {'a': work}


def run():
    return {n: call() for n, call in TABLE.items()}
""",
        {"work"},
        1,
    ),
    "attribute": (
        """\
class Holder:
    def __init__(self, call):
        self._call = call

    def run(self):
        self._call()


Holder(work).run()
""",
        {"work"},
        1,
    ),
    "dataclass": (
        """\
from dataclasses import dataclass, replace


@dataclass
class Holder:
    call: object


def run(holder: Holder):
    holder.call()
    replace(holder, call=other)


run(Holder(work))
""",
        {"work", "other"},
        1,
    ),
    "getattr": (
        """\
class Holder:
    def __init__(self, call):
        self.call = call


def run(holder: Holder):
    getattr(holder, 'call', other)()


run(Holder(work))
""",
        {"work", "other"},
        1,
    ),
    "result": (
        """\
def made():
    return work


def run():
    made()()
""",
        {"work"},
        1,
    ),
    "partial": (
        """\
import functools


def run():
    call = functools.partial(work)
    call()
""",
        {"work"},
        1,
    ),
    "registering decorator": (
        """\
TABLE = {}


def register(name):
    def inner(call):
        TABLE[name] = call
        return call

    return inner


@register('x')
def third():
    pass


TABLE['work'] = work


def run(name):
    TABLE[name]()
""",
        {"work", "third"},
        1,
    ),
    "state of an application": (
        """\
def start(app):
    app.state.call = work


def run(request):
    request.app.state.call()
""",
        {"work"},
        1,
    ),
    "beside what gives nothing": (
        """\
import httpx


def close(client: httpx.Client):
    finish(work)
    finish(client.close)


def finish(call):
    call()
""",
        {"work"},
        1,
    ),
    "what a protocol says": (
        """\
from typing import Protocol


class Doing(Protocol):
    def __call__(self): ...


def run(doing: Doing):
    doing()


run(work)
""",
        {"Doing.__call__", "work"},
        1,
    ),
    "looked at": (
        """\
def run():
    print(callable(work), work.__name__, work is other)
""",
        {"work"},
        0,
    ),
}


@pytest.mark.parametrize(("text", "functions", "calls"), REACHED.values(), ids=REACHED)
def test_what_a_call_may_reach_is_known(text, functions, calls):
    _, found = components(text)

    assert [one.leaks for one in found] == [{}] * len(found)
    assert {one.qualname for component in found for one in component.functions} == functions
    assert len({place for component in found for place in component.calls}) == calls
    for component in found:
        for call in component.calls.values():
            assert {one.qualname for one in call.functions} == functions


LEAKS = {
    "beside what gives something": """\
import httpx


def close(client: httpx.Client):
    finish(work)
    finish(client.get)


def finish(call):
    call()
""",
    "the same method of something unknown": """\
class Holder:
    def wire(self, call):
        self.call = call

    def run(self):
        self.call()


Holder().wire(work)


def test(thing):
    thing.wire(other)
""",
    "library": """\
import threading


def run():
    threading.Thread(target=work)
""",
    "unknown object": """\
def run(thing):
    thing.call = work
""",
    "unknown caller beside": (
        """\
import os


def run(call):
    call()


run(work)
run(os.environ.get('x'))
"""
    ),
    "key of a method": """\
def run(items):
    items.sort(key=work)
""",
    "map that is kept": """\
def run(items):
    return map(work, items)
""",
    "all arguments by name": """\
def run(**calls):
    calls["one"]()


run(one=work)
""",
    "unpacked arguments": """\
def run(*calls):
    calls[0]()


run(work)
run(*found())
""",
    "a decorator that is not followed": """\
def run(thing):
    return thing(work)
""",
    "what decorates": """\
def wrap(call):
    return work


@wrap
def third():
    pass
""",
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS)
def test_what_leads_out_of_sight_is_told(text):
    _, found = only(text)

    assert found.leaks


NAMED_AS_A_BUILTIN = """\
from __future__ import annotations


class Service:
    def list(self) -> list[int]:
        kept: list[int] = []
        return list(kept)

    def all(self, more: list[int] | None = None) -> list[list[int]]:
        return [more or []]
"""


def test_an_annotation_that_a_method_hides_hands_nothing_on():
    for end, count in (("", 0), ("\n    found = [list]\n", 1)):
        project = program({"app.py": NAMED_AS_A_BUILTIN + end})
        graph, handed = project.calls.graph(), project.calls.passed_functions()
        method = next(one for one in graph.functions() if one.qualname == "Service.list")

        assert len(handed.components_of(method)) == count


def test_lambdas_and_methods_of_lists_stand_beside_functions():
    text = """\
def run(call):
    call()


run(work)
run(lambda: other())
found = []
run(found.append)
"""
    project, found = only(text)

    module = project.module("app.py")
    shown = sorted(module.source.text[p.span.start : p.span.end] for p in found.lambdas)
    assert (shown, found.leaks) == ([b"found.append", b"lambda: other()"], {})


def test_direct_calls_of_a_function_are_no_part_of_it():
    text = """\
def run(call):
    call()


run(work)
work()
other()
"""

    _, found = only(text)

    assert [call.caller.qualname for call in found.calls.values()] == ["run"]


def test_who_waits_for_a_lambda_is_who_calls_it():
    text = """\
def run(call):
    call()


def start():
    run(lambda: work())
"""
    project, _ = components(text)
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")

    callers = [call.caller.qualname for call in handed.callers(work, graph.callers(work))]

    assert callers == ["run"]


def test_threads_and_what_takes_both_kinds_are_told():
    text = """\
import asyncio
from fastapi import Depends, FastAPI


app = FastAPI(on_startup=[work])
needed = Depends(work)


async def run():
    await asyncio.to_thread(work)
"""
    _, found = components(text)

    assert [(len(one.threads), len(one.absorbed), one.leaks) for one in found] == [
        (0, 1, {}),
        (0, 1, {}),
        (1, 0, {}),
    ]


def test_what_may_be_none_takes_both_kinds_where_it_is_something():
    text = """\
from fastapi import BackgroundTasks


def run(tasks: BackgroundTasks | None):
    if tasks:
        tasks.add_task(work)
"""
    _, found = only(text)
    assert (len(found.absorbed), found.leaks) == (1, {})


def test_a_method_of_the_program_itself_takes_no_other_kind():
    text = """\
from fastapi import BackgroundTasks


class Tasks(BackgroundTasks):
    def add_task(self, call):
        call()


def run(tasks: Tasks):
    tasks.add_task(work)
"""
    _, found = only(text)
    assert (len(found.absorbed), len(found.calls)) == (0, 1)


def test_what_a_generator_yields_is_said_not_to_be_followed():
    text = "def jobs():\n    yield work\n\n\nfor job in jobs():\n    job()\n"
    _, found = only(text)
    assert list(found.leaks.values()) == ["awaken does not follow the values that `jobs` yields"]


STAR = """\
from fastapi import FastAPI

from helpers import *

app = FastAPI()
app.dependency_overrides[depended] = {given}
"""
HELPERS = """\
def depended():
    return 1


def opened():
    return 2


named = opened
listed = [opened]
"""


@pytest.mark.parametrize("given", ["opened", "named", "listed[0]"])
def test_a_star_import_gives_what_is_passed_on(given):
    project = program({"app.py": STAR.format(given=given), "helpers.py": HELPERS})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    opened = next(one for one in graph.functions() if one.qualname == "opened")

    assert not any(component.leaks for component in handed.components_of(opened))


def test_what_is_made_a_manager_is_called_where_that_is_entered():
    text = """\
from contextlib import contextmanager


def opened():
    yield 1


entered = contextmanager(opened)
with entered() as one:
    print(one)
"""
    project = program({"app.py": text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    opened = next(one for one in graph.functions() if one.qualname == "opened")
    (found,) = handed.components_of(opened)
    assert found.leaks == {}
    assert [one.name for one in found.calls.values()] == ["entered"]


def test_a_depth_is_the_same_only_with_the_same_key():
    depth = Depth(1, "a")

    assert depth == Depth(1, "a")
    assert depth != 1
    assert {1, Depth(1, "b"), Depth(2, "a")}.isdisjoint({depth})
    assert depth + 1 == Depth(2, "a")
    assert depth - 1 == 0

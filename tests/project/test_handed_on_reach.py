"""Functions that are passed as values: what a call may reach."""

from __future__ import annotations

import pytest
from passed_functions import components

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

"""Functions that are passed as values: what leads where nobody follows them."""

from __future__ import annotations

import pytest
from passed_functions import only

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


def test_what_a_generator_yields_is_said_not_to_be_followed():
    text = "def jobs():\n    yield work\n\n\nfor job in jobs():\n    job()\n"
    _, found = only(text)
    assert list(found.leaks.values()) == ["awaken does not follow the values that `jobs` yields"]

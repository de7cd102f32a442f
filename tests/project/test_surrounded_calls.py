"""Where a function gives way, and what is around a call."""

from __future__ import annotations

import pytest
from asked_functions import function
from programs import last, module_of, program

from awaken.project.effects import suspensions

SUSPENSIONS = {
    "await": ("async def f(x):\n    return [await x(), 1]", (1, 0)),
    "async for and with": (
        "async def f(x):\n    async with x as y:\n        async for z in y:\n            yield z",
        (2, 1),
    ),
    "a comprehension": ("async def f(x):\n    return [y async for y in x]", (1, 0)),
    "an inner coroutine": ("async def f(x):\n    async def g():\n        await x()", (0, 0)),
    "a lambda": ("def f(x):\n    return lambda: (yield)", (0, 0)),
    "a default of an inner one": (
        "async def f(x):\n    def g(y=await x()):\n        yield y",
        (1, 0),
    ),
    "yield from": ("def f(x):\n    yield from x", (0, 1)),
    "nothing": ("async def f(x):\n    return x", (0, 0)),
}


@pytest.mark.parametrize(("text", "expected"), SUSPENSIONS.values(), ids=SUSPENSIONS)
def test_where_a_function_gives_way(text, expected):
    _, _, node = function(text)

    found = suspensions(node)

    assert (len(found.awaits), len(found.yields)) == expected


GUARDS = {
    "a handler": (
        "try:\n    x()\nexcept (KeyError, asyncio.TimeoutError):\n    pass",
        ["handler builtins.KeyError asyncio.TimeoutError"],
    ),
    "a bare handler": (
        "try:\n    x()\nexcept:\n    pass",
        ["handler builtins.BaseException"],
    ),
    "errors in a variable": (
        "ERRORS = (KeyError, httpx.HTTPError)\ntry:\n    x()\nexcept ERRORS:\n    pass",
        ["handler builtins.KeyError httpx.HTTPError"],
    ),
    "errors of anywhere": ("try:\n    x()\nexcept errors():\n    pass", ["handler None"]),
    "several, and a finally": (
        "try:\n    x()\nexcept KeyError:\n    y\nexcept Exception:\n    y\nfinally:\n    y",
        ["handler builtins.KeyError", "handler builtins.Exception", "finally"],
    ),
    "in the else": (
        "try:\n    pass\nexcept KeyError:\n    pass\nelse:\n    x()\nfinally:\n    done()",
        ["finally"],
    ),
    "in the handler": (
        "try:\n    pass\nexcept KeyError:\n    x()\nfinally:\n    done()",
        ["in-handler", "finally"],
    ),
    "in the finally": ("try:\n    pass\nfinally:\n    x()", ["in-finally"]),
    "inside of two contexts": ("with a, b:\n    x()", ["with", "with"]),
    "a later item of a with": ("with a, x():\n    pass", ["with"]),
    "an inner function": (
        "try:\n    def g():\n        x()\nexcept KeyError:\n    pass",
        [],
    ),
    "a lambda": ("try:\n    y(lambda: x())\nexcept KeyError:\n    pass", []),
    "a default of an inner function": (
        "try:\n    def g(y=x()): ...\nexcept KeyError:\n    pass",
        ["handler builtins.KeyError"],
    ),
    "a class body": (
        "try:\n    class A:\n        y = x()\nexcept KeyError:\n    pass",
        ["handler builtins.KeyError"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), GUARDS.values(), ids=GUARDS)
def test_what_stands_around(text, expected):
    project = program({"m.py": "import asyncio, httpx\n" + text})
    module = module_of(project, "m.py")

    found = project.effects.guards(module, last(module, "x()"))

    assert [" ".join([one.kind, *map(str, one.catches)]) for one in found] == expected

"""On which calls code blocks, and where nothing can be concluded."""

from __future__ import annotations

import pytest
from asked_functions import function

BLOCKING = {
    "a sleep": ("async def f():\n    time.sleep(1)", ["time.sleep sleep"]),
    "under another name": (
        "async def f():\n    from time import sleep as wait\n    wait(1)",
        ["time.sleep sleep"],
    ),
    "a request": ("async def f(x):\n    return requests.get(x).json()", ["requests.get http"]),
    "a session of self": (
        """
        class Client:
            def __init__(self):
                self.http = requests.Session()
            async def f(self):
                return self.http.post("x")
        """,
        ["requests.Session.post http"],
    ),
    "a session of a subclass": (
        """
        class Client(requests.Session): ...
        async def f(client: Client):
            client.get("x")
        """,
        ["requests.Session.get http"],
    ),
    "a file": (
        "async def f(x):\n    with open(x) as file:\n        return file.read()",
        ["builtins.open file"],
    ),
    "a program": ("async def f():\n    subprocess.run(['ls'])", ["subprocess.run process"]),
    "a database": (
        "from sqlalchemy.orm import Session\nasync def f(db: Session):\n    db.commit()",
        ["sqlalchemy.orm.Session.commit database"],
    ),
    "in a comprehension": (
        "async def f(xs):\n    return [requests.get(x) for x in xs]",
        ["requests.get http"],
    ),
    "in a thread": ("async def f():\n    await asyncio.to_thread(time.sleep, 1)", []),
    "in a thread, as a lambda": (
        "async def f(loop):\n    await loop.run_in_executor(None, lambda: time.sleep(1))",
        [],
    ),
    "in a function that is only made": (
        "async def f(x):\n    def g():\n        time.sleep(1)\n    return g",
        [],
    ),
    "in another coroutine": (
        "async def g():\n    time.sleep(1)\nasync def f():\n    await g()",
        [],
    ),
    "asynchronous": ("async def f():\n    await asyncio.sleep(1)", []),
    "a method of the program's own before that of a library": (
        """
        class Client(requests.Session):
            def get(self, url):
                time.sleep(1)
        async def f(client: Client):
            client.get("x")
        """,
        ["time.sleep sleep"],
    ),
    "a method of a class with a harmless base": (
        """
        import abc
        class Client(abc.ABC):
            def load(self):
                time.sleep(1)
        async def f(client: Client):
            client.load()
        """,
        ["time.sleep sleep"],
    ),
    "a method of the same name": (
        "class Clock:\n    def sleep(self, n): ...\nasync def f(time: Clock):\n    time.sleep(1)",
        [],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BLOCKING.values(), ids=BLOCKING)
def test_blocking_calls(text, expected):
    project, module, node = function(text)

    found = project.effects.blocking_calls(module, node).known

    assert [f"{one.name} {one.waits_for}" for one in found] == expected


def test_a_blocking_call_is_found_over_files_with_the_way_to_it():
    project, module, node = function(
        "from a import load\nasync def f(x):\n    return load(x)",
        a="from b import read\ndef load(x):\n    return read(x)",
        b="def read(x):\n    with open(x) as file:\n        return file.read()",
    )

    (found,) = project.effects.blocking_calls(module, node).known

    assert (found.name, found.place.path) == ("builtins.open", "b.py")
    assert [place.path for place in found.chain] == ["m.py", "a.py"]


def test_each_function_of_a_circle_blocks_as_all_do_by_the_shortest_way():
    project, module, node = function(
        """
        def g():
            h()
            f()
        def h():
            f()
            time.sleep(1)
        def f():
            g()
            h()
        """
    )
    functions = [node, *module.tree.body[-3:-1]]

    found = [project.effects.blocking_calls(module, one).known for one in functions]

    assert [[len(one.chain) for one in known] for known in found] == [[1], [1], [0]]
    assert {one.name for known in found for one in known} == {"time.sleep"}


def test_what_calls_more_functions_than_are_followed_is_unknown():
    calls = "".join(f"def f{one}():\n    f{one + 1}()\n" for one in range(1, 400))
    project, module, node = function(f"{calls}def f400():\n    time.sleep(1)\ndef f():\n    f1()")

    found = project.effects.blocking_calls(module, node)

    assert found.known == ()
    assert [one.why for one in found.unknown] == ["too much has to be followed to tell"]


def test_all_blocking_calls_of_a_function_are_known():
    calls = "\n".join(f"    time.sleep({number})" for number in range(21))
    project, module, node = function(f"def f():\n{calls}\n    requests.get('x')")

    found = project.effects.blocking_calls(module, node)

    assert [one.name for one in found.known] == [*["time.sleep"] * 21, "requests.get"]
    assert found.unknown == ()


def test_a_call_of_which_nothing_is_known_is_named():
    project, module, node = function("async def f(service):\n    service.load()")

    (unknown,) = project.effects.blocking_calls(module, node).unknown

    assert unknown.why == "parameter `service` has no annotation"


UNTOLD = {
    "a member of a protocol": (
        """
        from typing import Protocol
        class Store(Protocol):
            def load(self) -> str:
                return ""
        async def f(store: Store):
            store.load()
        """,
        "the implementation of `load` is unknown",
    ),
    "an abstract method": (
        """
        import abc
        class Store(abc.ABC):
            @abc.abstractmethod
            def load(self): pass
        async def f(store: Store):
            store.load()
        """,
        "the implementation of `load` is unknown",
    ),
    "a method that is left to others": (
        """
        class Store:
            def load(self):
                "Load it."
                raise NotImplementedError
        async def f(store: Store):
            store.load()
        """,
        "the implementation of `load` is unknown",
    ),
    "a method of a library that the program overrides": (
        """
        class Client(requests.Session): pass
        class Quiet(Client):
            def get(self, url): return None
        async def f(client: Client):
            client.get("x")
        """,
        "`m.Quiet` may have its own `get`",
    ),
    "a base that is not in sight": (
        """
        def base(): ...
        class Client(base(), requests.Session): pass
        async def f(client: Client):
            client.get("x")
        """,
        "the base class `base()` is unknown and may have `get`",
    ),
    "of the program or of a library": (
        """
        class Own:
            def get(self, url): return None
        async def f(x):
            client = Own() if x else requests.Session()
            client.get("x")
        """,
        "`client.get` may be of the program or of a library",
    ),
}


@pytest.mark.parametrize(("text", "why"), UNTOLD.values(), ids=UNTOLD)
def test_nothing_is_concluded_where_another_method_may_run(text, why):
    project, module, node = function(text)

    found = project.effects.blocking_calls(module, node)

    assert not found.known
    assert why in [one.why for one in found.unknown]

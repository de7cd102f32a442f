"""Whether an expression is proved to be a coroutine: what TaskGroup takes, and others are not."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

HEAD = """
    import asyncio
    import functools
    from collections.abc import Awaitable, Callable, Coroutine
    from contextlib import contextmanager
    from typing import Any, Concatenate, ParamSpec, TypeVar, Union, cast, overload

    P = ParamSpec("P")
    R = TypeVar("R")
    F = TypeVar("F")
    Handler = Callable[P, R]
    Injected = Callable[Concatenate[int, P], R]
    Odd = Callable[[R], R]
    Runs = Callable[P, Coroutine[Any, Any, int]]

    def untyped(function):
        async def wrapper(*args):
            return [await function(*args)]
        return wrapper

    def either(function):
        if asyncio.iscoroutinefunction(function):
            @functools.wraps(function)
            async def asynchronous(*args):
                return await function(*args)
            return cast("Callable[P, R]", asynchronous)
        @functools.wraps(function)
        def plain(*args):
            with entered():
                return function("more", *args)
        return plain

    def repeating(seconds):
        def decorate(function):
            async def looping(*args):
                while True:
                    await function(*args)
            return looping
        return decorate

    def maybe(function):
        def plain(*args):
            if args:
                return function("more", *args)
        return plain

    def started(function):
        def plain(*args):
            return asyncio.ensure_future(function(*args))
        return plain

    class Wrapper:
        def __init__(self, function): self.function = function
        def __call__(self, *args): return self.function(1, *args)

    def typed(function: Injected[P, R]) -> Handler[P, R]:
        return Wrapper(function)

    def in_union(function: Union[Injected[P, R], Handler[P, R]]) -> Handler[P, R]:
        return Wrapper(function)

    def typed_arguments(seconds: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
        return Wrapper

    def to_coroutine(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
        return Wrapper(function)

    def to_alias(function: Callable[P, R]) -> Runs[P]:
        return Wrapper(function)

    def to_awaitable(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
        return Wrapper(function)

    def to_other(function: Callable[P, R]) -> Callable[P, list[R]]:
        return Wrapper(function)

    def of_argument(function: Callable[P, R]) -> Odd[R]:
        return Wrapper(function)

    @overload
    def marked(function: F) -> F: ...
    @overload
    def marked(*, level: int) -> Callable[[F], F]: ...
    def marked(*args, **kwargs):
        return Wrapper(args)
"""

DECORATORS = {
    "@untyped": True,
    "@either": True,
    "@repeating(3)": True,
    "@typed": True,
    "@in_union": True,
    "@typed_arguments(3)": True,
    "@to_coroutine": True,
    "@to_alias": True,
    "@marked": True,
    "@maybe": False,
    "@started": False,
    "@Wrapper": False,
    "@to_awaitable": False,
    "@to_other": False,
    "@of_argument": False,
    "@repeating": False,
}


def is_coroutine(text: str, asked: str) -> bool:
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    return project.effects.is_coroutine(module, last(module, asked))


@pytest.mark.parametrize(("decorator", "expected"), DECORATORS.items())
def test_decorator_keeps_a_coroutine_or_declares_one(decorator, expected):
    text = f"{HEAD}\n    {decorator}\n    async def work(): ...\n    work()\n"
    assert is_coroutine(text, "work()") is expected


def test_plain_function_gives_a_coroutine_only_where_its_decorator_says_so():
    for decorator, expected in (("@to_coroutine", True), ("@untyped", False), ("@typed", False)):
        text = f"{HEAD}\n    {decorator}\n    def work(): return 1\n    work()\n"
        assert is_coroutine(text, "work()") is expected, decorator


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("Callable[..., Coroutine[Any, Any, int]]", True),
        ("Callable[..., Coroutine]", True),
        ("Callable[..., Awaitable[int]]", False),
        ("Callable[..., asyncio.Future[int]]", False),
        ("Callable[..., Any]", False),
    ],
)
def test_what_is_declared_awaitable_is_no_coroutine(declared, expected):
    text = f"{HEAD}\n    async def run(handler: {declared}):\n        handler(1)\n"
    assert is_coroutine(text, "handler(1)") is expected


def test_awaiting_what_is_declared_awaitable_gives_its_result():
    text = f"{HEAD}\n    async def run(one: Awaitable[int]):\n        await one\n        one\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    assert project.values.of(module, last(module, "await one")).instance_of == ("builtins.int",)
    given = project.values.of(module, last(module, "one"))
    assert given.is_awaitable
    assert not given.is_coroutine


def test_method_is_none_where_a_class_gives_a_future_instead():
    text = """
        import asyncio
        class Base:
            async def load(self): return 1
            async def same(self): return 1
        class Cached(Base):
            def load(self): return asyncio.get_running_loop().create_future()
            async def same(self): return 2
        def run(one: Base):
            one.load()
            one.same()
            later = one.load()
            later
            same = one.same()
            same
    """
    assert not is_coroutine(text, "one.load()")
    assert is_coroutine(text, "one.same()")
    assert not is_coroutine(text, "later")
    assert is_coroutine(text, "same")


def test_method_is_the_last_of_its_overloads():
    text = """
        from typing import overload
        class State:
            @overload
            async def result(self, raises: int) -> int: ...
            @overload
            async def result(self, raises: str) -> str: ...
            async def result(self, raises=1): return raises
        def run(states: list[State]):
            made = [state.result(1) for state in states]
            made
    """
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    assert project.values.items_of(module, last(module, "made")).is_coroutine

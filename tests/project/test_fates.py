"""What becomes of a coroutine, through variables, containers and functions."""

from __future__ import annotations

import importlib
import inspect
from textwrap import dedent

import pytest
from programs import last, module_of, program

from awaken.knowledge.coroutines import coroutines

HEAD = """
    import asyncio, inspect
    import anyio
    from sqlalchemy.ext.asyncio import AsyncSession

    async def work(number=0):
        return number

    class Shop:
        def __init__(self):
            self.tasks = set()
        async def open(self):
            return self
        def start(self, coro):
            task = asyncio.create_task(coro)
            self.tasks.add(task)
            return task
        def later(self, coro=None):
            self.waiting = coro
    shop = Shop()
"""


def fates(text, call="work()", **files):
    """Return the fates of the last ``call`` of a program: kind, and by what."""
    others = {f"{path}.py": dedent(body) for path, body in files.items()}
    project = program({"m.py": dedent(HEAD) + dedent(text), **others})
    module = module_of(project, "m.py")
    found = project.effects.fates(module, last(module, call))
    return [f"{one.kind} {one.by}".strip() for one in found]


PLACES = {
    "await work()": "awaited",
    "work()": "dropped",
    "return work()": "returned",
    "yield work()": "yielded",
    "self.kept = work()": "stored self.kept",
    "if work(): pass": "tested",
    "if not work(): pass": "tested",
    "while work(): pass": "tested",
    "assert work()": "tested",
    "x = work() == 3": "tested",
    "x = work() is None": "asked is",
    "work().real": "used",
    "work().close()": "closed",
    "work().send(None)": "run send",
    "work()[0]": "used",
    "work() + 1": "used",
    "for one in work(): pass": "used",
    "a, b = work()": "used",
    "str(work())": "used builtins.str",
    "len(work())": "used builtins.len",
    "asyncio.run(work())": "run asyncio.run",
    "asyncio.create_task(work(), name='w')": "run asyncio.create_task",
    "asyncio.run(main=work())": "run asyncio.run",
    "await asyncio.gather(work(), work(1))": "run asyncio.gather",
    "await asyncio.gather(*[work() for _ in x])": "run asyncio.gather",
    "await asyncio.gather(*(work(),))": "run asyncio.gather",
    "await asyncio.wait_for(work(), 1)": "awaited",
    "asyncio.wait_for(work(), 1)": "dropped",
    "asyncio.get_running_loop().create_task(work())": "run asyncio.AbstractEventLoop.create_task",
    "inspect.isawaitable(work())": "asked inspect.isawaitable",
    "asyncio.to_thread(work())": "called asyncio.to_thread",
    "shop.start(work())": "run asyncio.create_task",
    "shop.start(coro=work())": "run asyncio.create_task",
    "shop.later(work())": "stored self.waiting",
    "unheard_of(work())": "unknown",
    "x = work()": "unread x",
    "x: object = work()": "unread x",
    "x = y = work()\nawait x": "awaited, unread y",
    "x = work()\nawait x": "awaited",
    "x = work()\nx.real": "used",
    "if (x := work()): pass\nawait x": "awaited, tested",
    "x, y = work(), 1\nawait x": "awaited",
    "x = y if y else work()\nawait x": "awaited",
    "x = y or work()\nawait x": "awaited",
    "z = []\nz.append(work())\nawait asyncio.gather(*z)": "run asyncio.gather",
    "x = []\nx.append(work())": "stored builtins.list.append",
    "x = [work()]\nfor one in x: await one": "awaited",
    "x = {'a': work()}\nfor one in x.values(): await one": "awaited",
    "x = {'a': work()}\nawait x.setdefault('a', 1)": "awaited",
    "x = [work()]\nawait x[0]": "awaited",
    "x = [work()]\nif x: return x": "returned",
    "done, waits = await asyncio.wait([work()])": "awaited",
    "[await one for one in [work()]]": "awaited",
    "x = work()\ndef inner(): return x": "returned",
    "async with asyncio.TaskGroup() as tg:\n    tg.create_task(work())":
        "run asyncio.TaskGroup.create_task",
    "async with anyio.create_task_group() as tg:\n    tg.start_soon(work())":
        "called anyio.abc.TaskGroup.start_soon",
}  # fmt: skip


@pytest.mark.parametrize("text", PLACES)
def test_what_becomes_of_a_coroutine_in_one_function(text):
    body = "\n".join(f"    {line}" for line in text.splitlines())

    assert ", ".join(sorted(fates(f"async def f(self, x, y):\n{body}"))) == PLACES[text]


def test_a_value_that_is_replaced_before_it_is_read_is_unread():
    text = """
    async def f():
        x = asyncio.create_task(work())
        x = 1
        return x
    """

    assert fates(text, "asyncio.create_task(work())") == ["unread x"]


def test_a_parameter_is_followed_into_other_files_and_says_by_which_calls():
    helper = """
        import asyncio
        def spawn(coro, *, name=""):
            return _spawn(coro)
        def _spawn(it):
            asyncio.ensure_future(it)
    """
    files = {"m.py": dedent(HEAD) + "from helper import spawn\nspawn(work(), name='x')\n"}
    project = program({**files, "helper.py": helper})
    module = module_of(project, "m.py")

    (fate,) = project.effects.fates(module, last(module, "work()"))

    assert (fate.kind, fate.by, fate.place.path) == ("run", "asyncio.ensure_future", "helper.py")
    assert [place.path for place in fate.chain] == ["m.py", "helper.py"]


def test_every_override_may_get_it():
    text = """
    class Base:
        def take(self, coro):
            raise NotImplementedError
    class One(Base):
        def take(self, coro):
            return asyncio.run(coro)
    class Two(Base):
        def take(self, coro):
            coro.close()
    def f(base: Base):
        base.take(work())
    """

    assert sorted(fates(text)) == ["closed", "run asyncio.run"]


def test_a_declaration_alone_says_nothing():
    text = """
    class Base:
        def take(self, coro):
            raise NotImplementedError
    def f(base: Base):
        base.take(work())
    """

    assert fates(text) == ["unknown"]


def test_more_arguments_than_parameters_go_into_a_tuple():
    text = """
    def run_all(*coros):
        return asyncio.gather(*coros)
    def f():
        run_all(work(1), work())
    """

    assert fates(text) == ["run asyncio.gather"]


def test_functions_that_hand_it_to_each_other_end():
    text = """
    def one(coro):
        two(coro)
    def two(coro):
        one(coro)
    one(work())
    """

    assert fates(text) == []


def test_too_many_places_end_in_unknown():
    steps = "\n".join(f"    x{number + 1} = x{number}" for number in range(600))

    assert fates(f"def f():\n    x0 = work()\n{steps}\n    return x600") == ["unknown"]


def test_a_chain_of_a_thousand_expressions_ends():
    text = " or ".join(["work()"] * 1000)

    assert "returned" in fates(f"def f():\n    return {text}")


def test_callers_say_what_becomes_of_what_is_returned():
    text = """
    def make():
        return _make()
    def _make():
        return work()
    async def one():
        await make()
    async def two():
        make()
    """
    project = program({"m.py": dedent(HEAD) + dedent(text)})
    module = module_of(project, "m.py")
    function = next(one for one in module.walk() if getattr(one, "name", "") == "_make")

    found = project.effects.fates_of_result(module, function)

    assert {one.kind for one in found} == {"awaited", "dropped", "unknown"}
    assert [one.why for one in found if one.kind == "unknown"] == [
        "code outside the project may call `make` as well"
    ]


KINDS = {
    "work()": "coroutine",
    "shop.open()": "coroutine",
    "AsyncSession().commit()": "coroutine",
    "AsyncSession().add(1)": "?",
    "asyncio.create_task(work())": "task",
    "asyncio.gather(work())": "future",
    "asyncio.sleep(1)": "coroutine",
    "len([])": "?",
    "passes_on()": "coroutine",
    "either(1)": "?",
    "sometimes(1)": "?",
    "tried(1)": "coroutine",
    "numbers()": None,
    "plain()": None,
    "traced()": "?",
    "Declared().run()": "?",
    "Overridden().run()": "?",
    "promised()": "?",
    "later": "coroutine",
}


@pytest.mark.parametrize("call", KINDS)
def test_what_an_expression_gives(call):
    text = f"""
    from library import traced as trace
    from typing import Awaitable, Protocol
    def passes_on(): return work()
    def either(x):
        if x: return work()
        return None
    def sometimes(x):
        if x: return work()
        print(x)
    def tried(x):
        try:
            if x: return work()
            else: raise ValueError
        except ValueError:
            return work(1)
    async def numbers(): yield 1
    def plain(): pass
    @trace
    async def traced(): pass
    class Declared(Protocol):
        async def run(self): ...
    class Overridden:
        async def run(self): pass
    class Overriding(Overridden):
        def run(self): pass
    def promised() -> Awaitable[None]: return unheard_of()
    def f(x):
        later = work()
        print(later)
        return {call}
    """
    project = program({"m.py": dedent(HEAD) + dedent(text)})
    module = module_of(project, "m.py")
    kind = project.effects.awaitable(module, last(module, call))

    assert (kind if kind is None or isinstance(kind, str) else "?") == KINDS[call]


def resolved(name):
    """Return the object with this dotted name."""
    parts = name.split(".")
    for number in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:number]))
        except ImportError:
            continue
        for part in parts[number:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


INSTALLED = ("asyncio.", "sqlalchemy.", "httpx.", "starlette.", "fastapi.", "anyio.")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, kind in coroutines().gives.items()
        if kind == "coroutine" and name.startswith(INSTALLED)
    ],
)
def test_what_is_said_to_give_a_coroutine_is_a_coroutine_function(name):
    assert inspect.iscoroutinefunction(resolved(name))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, taker in coroutines().takers.items()
        if name.startswith(INSTALLED) and taker.keyword
    ],
)
def test_the_keyword_of_a_taker_is_that_of_its_first_argument(name):
    parameters = list(inspect.signature(resolved(name)).parameters.values())
    named = [one for one in parameters if one.name != "self"]

    assert coroutines().takers[name].keyword == named[0].name


def test_functions_that_return_each_other_many_times_end():
    functions = "\n".join(
        f"    def f{number}(x):\n"
        + "".join(f"        if x: return f{(number * 7 + one) % 60}(x)\n" for one in range(8))
        for number in range(60)
    )
    project = program({"m.py": dedent(functions)})
    module = module_of(project, "m.py")

    kind = project.effects.awaitable(module, last(module, "f3(x)"))

    assert kind is not None
    assert not isinstance(kind, str)


def test_each_call_of_a_family_of_methods_has_the_answer_of_the_family():
    text = """
        class A:
            async def run(self): ...
            async def go(self): return 1
        class B(A):
            def go(self): return 1
        class C:
            async def go(self): return 1
        A().go()
        B().go()
        C().go()
    """
    project = program({"m.py": dedent(text)})
    module = module_of(project, "m.py")
    calls = [last(module, call) for call in ("A().go()", "B().go()", "C().go()")]

    found = [project.effects.awaitable(module, call) for call in (*calls, *calls)]

    assert found[:3] == found[3:]
    assert found[2] == "coroutine"
    assert [one.place.span for one in found[:2]] == [module.span(one) for one in calls[:2]]
    assert all("return different things" in one.why for one in found[:2])

"""Expressions that wait give the same as before, and ask the database in the same order.

The rule rewrites them beside functions that open sessions. They are run with others in the place of
those, which note in which order they are called.
"""

from __future__ import annotations

import asyncio
from functools import cache

import pytest
from planned import forgotten_coroutines, rewritten

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def load(x):
    with Session(engine) as session:
        return session.scalar(select(literal(f"r{x}")))


def num(x):
    with Session(engine) as session:
        return session.scalar(select(literal(x * 10)))


def flag(x):
    with Session(engine) as session:
        return bool(session.scalar(select(literal(x))))


def ids():
    with Session(engine) as session:
        return list(session.scalars(select(literal(0))))
"""
HEAD = "from database import flag, ids, load, num\n\n\n"
KEPT = "def rows():\n    for x in ids():\n        yield num(x)\n\n\ndef run():\n    kept = rows()\n"
INSTANCE = """\
def rows():
    try:
        for x in ids():
            yield num(x)
    finally:
        num(0)


class First:
    def __init__(self):
        self.kept: int = next(rows())
"""
IN_BRACKETS = """\
def run():
    names = list(
        load(
            "a"
        ).upper()
    )
    upper = [
        one.upper()
        for one in load(
            "bcd"
        ).lower()
        if num(len(one))
    ]
    size = len(load(
        "e"
    ).name)
    waiting = list(
        num(one)
        for one in ids()
        if flag(
            one
        )
    )
    shown = list(
        flag(one)
        for one in load(
            "gh"
        ).lower()
    )
    return names, upper, size, waiting, shown, sorted(load(
        "f"
    ).upper(), key=lambda one: -ord(one))
"""
LAID_OUT = """\
async def run():
    result = await load(
        "a"
    )
    names = list(result.upper())
    upper_result = await load(
        "bcd"
    )
    upper = [
        one.upper()
        for one in upper_result.lower()
        if await num(len(one))
    ]
    size_result = await load(
        "e"
    )
    size = len(size_result.name)
"""
NAMES = """\
result = item = "kept"


def free():
    upper = list(
        load(
            "a"
        ).upper()
    )
    return upper, list(num(one) for one in ids())


def of_an_inner_function():
    upper = list(
        load(
            "b"
        ).upper()
    )
    return upper, [result for _ in upper], (lambda: item)(), set(map(num, ids()))


def of_the_file():
    global result
    upper = list(
        load(
            "c"
        ).upper()
    )
    result = upper
    return upper


def run():
    return free(), of_an_inner_function(), result, of_the_file(), result, item
"""
REWRITTEN = {
    "in-brackets": IN_BRACKETS,
    "names": NAMES,
    "attribute-index-call": """\
def run():
    return load(1).name, load(2).parts[0], load(3).upper()
""",
    "operators": """\
def run():
    return not flag(0), num(1) + num(2) * 2, -num(3), num(2) ** num(3), num(1) < num(2) < num(0)
""",
    "short-circuits": """\
def run():
    return flag(0) and flag(1), flag(1) or flag(0), num(1) if flag(0) else num(2)
""",
    "comprehensions": """\
def run():
    return [num(x) for x in ids() if flag(x)], {num(x) for x in ids()}, {x: num(x) for x in ids()}
""",
    "consumed-generators": """\
def run():
    return (
        sum(num(x) for x in ids()),
        ",".join(str(num(x)) for x in ids()),
        max((num(x) for x in ids()), default=None),
    )
""",
    "statements": """\
def run():
    n = 0
    while (v := num(n)) < 30:
        n += 1
    d = {}
    d[num(1)] = num(2)
    n += num(1)
    assert flag(1)
    return n, v, d
""",
    "kept-generator": """\
def rows():
    try:
        for x in ids():
            yield num(x)
    finally:
        flag("closed")


def run():
    kept = rows()
    first = next(kept)
    others = [next(kept), next(kept)]
    try:
        next(kept)
    except StopIteration:
        others.append(None)
    return first, others, next(kept, "end")
""",
    "kept-generator-that-is-closed": """\
def rows():
    try:
        for x in ids():
            yield num(x)
    finally:
        flag("closed")


def run():
    kept = rows()
    first = next(kept)
    for x in kept:
        break
    try:
        kept.close()
    except StopIteration:
        x = None
    return first, x
""",
    "kept-generator-whose-end-is-suppressed": """\
from contextlib import suppress


def rows():
    for x in ids():
        yield num(x)


def run():
    kept = rows()
    given = []
    with suppress(StopIteration, ValueError):
        while True:
            given = [*given, (next(kept))]
    plain = iter([1])
    try:
        next(plain)
        next(plain)
    except StopIteration:
        given.append("plain")
    return given
""",
    "kept-generator-whose-end-a-test-expects": """\
import pytest


def rows():
    yield num(1)


def run():
    kept = rows()
    first = next(kept)
    with pytest.raises(StopIteration):
        next(kept)
    return first
""",
    "generators": """\
def rows():
    for x in ids():
        yield num(x)


def run():
    first = next(rows())
    return first, list(rows()), [r for r in rows() if r > 5], dict(enumerate(rows()))
""",
    "items-by-method": """\
def rows():
    for x in ids():
        yield num(x)


def run():
    first = rows().__next__()
    low = (rows()).__next__().real + (num(x) for x in ids()).__next__()
    kept = rows()
    others = [kept.__next__(), next(kept)]
    try:
        kept.__next__()
    except StopIteration:
        others.append(None)
    return first, low, others
""",
    "item-that-an-instance-keeps": """\
ENDED = []


def rows():
    try:
        for x in ids():
            yield num(x)
    finally:
        ENDED.append(ids)


class First:
    def __init__(self, n):
        self.n = n
        self.kept: int = next(rows())  # for good

    def total(self):
        return num(self.n) + self.kept.real


class Second:
    def __init__(self):
        self._kept = rows().__next__()

    def total(self):
        return num(self._kept.real)


class Third:
    def __init__(self):
        generator = rows()
        self.kept = next(generator)

    def total(self):
        return num(self.kept.real)


def run():
    return First(2).total(), Second().total(), Third().total()
""",
    "yield-from": """\
def inner():
    yield num(1)
    yield num(2)


def rows():
    yield 0
    yield from inner()


def run():
    return list(rows())
""",
    "context-manager": """\
from contextlib import contextmanager


@contextmanager
def unit():
    num(0)
    try:
        yield num(1)
    except KeyError:
        num(8)
    finally:
        num(9)


def run():
    with unit() as v:
        if v:
            raise KeyError
    return v
""",
    "managers-of-both-kinds": """\
from contextlib import contextmanager, suppress


@contextmanager
def unit(n):
    num(n)
    yield n
    num(-n)


def run():
    with suppress(KeyError), unit(1) as one, unit(2), suppress(ValueError):
        text = \"\"\"of
several lines\"\"\"

        # what follows is moved
        if one:
            load(3).upper(
                *()
            )
    with (
        unit(num(4)) as first,
        suppress(KeyError) as second,
    ):
        with suppress(KeyError), unit(5):
            num(6)
        raise KeyError
    return text, first, second
""",
    "mutual-recursion": """\
def even(n):
    return True if num(n) == 0 else odd(n - 1)


def odd(n):
    return False if num(n) == 0 else even(n - 1)


def run():
    return even(3), odd(3)
""",
    "table": """\
TABLE = {"n": num}


def run():
    return [TABLE[k](1) for k in ("n", "n")]
""",
    "any": """\
def run():
    return any(flag(x) for x in ids())
""",
    "any-with-conditions": """\
def run():
    return any(num(x) > num(y) for x in ids() if x or flag(3) for y in ids() if flag(y))
""",
    "all-of-a-used-name": """\
def run():
    x = load(1)
    return all(not flag(x) for x in ids())
""",
    "searched-in-expressions": """\
def run():
    some = [any(flag(x) and flag(y) for x in ids()) for y in ids()]
    return "yes" if all(flag(x) for x in ids()) else "no", not any(num(x) for x in ids()), some
""",
    "sort-keys": """\
def run():
    return (
        sorted(ids(), key=lambda x: num(x) % 20),
        sorted(ids(), key=num, reverse=True),
        max(ids(), key=num, default=None),
        min([], key=lambda x: num(x), default=7),
    )
""",
    "map-and-filter": """\
def run():
    found = [x + y for x in map(num, ids()) for y in filter(lambda y: flag(y) or x, ids())]
    for one in map(lambda x, y: num(x) + y, ids(), (1, 2, 3)):
        found.append(one + num(5))
    total = sum(map(num, ids())), any(map(flag, ids())), set(filter(flag, ids()))
    return list(map(num, ids())), list(filter(flag, ids())), found, total
""",
    "f-string": """\
def run():
    return f"{num(2)}!", f"{load(1).upper():>{num(1)}}"
""",
    "iterated-generators": """\
def run():
    found = []
    for x in (num(y) for y in ids()):
        found.append(x + num(7))
    found += [num(x) for x in (num(y) for y in ids() if flag(y)) if x]
    first = next((num(x) for x in ids() if flag(x)), None)
    return found, first, [*(num(x) for x in ids())], set(num(x) for x in ids()), list(
        num(x) for x in ids()
    )
""",
    "closure": """\
def run():
    total = 0

    def add(x):
        nonlocal total
        total += num(x)

    for x in ids():
        add(x)
    return total
""",
}
REFUSED = {
    "shown-code": ("not-awaitable-here", "def run():\n    return f'{num(2)=}'\n"),
    "kept-generator": (
        "not-awaitable-here",
        "def run():\n    kept = (num(x) for x in ids())\n    return list(kept)\n",
    ),
    "kept-map": ("handed-on", "def run():\n    kept = map(num, ids())\n    return list(kept)\n"),
    "key-with-names-of-its-own": (
        "not-awaitable-here",
        "def run():\n    return sorted(ids(), key=lambda x: (y := num(x)) + y)\n",
    ),
    "default-of-a-key": (
        "not-awaitable-here",
        "def run():\n    return sorted(ids(), key=lambda x, y=2: num(x) % y)\n",
    ),
    "key-between-items": (
        "not-awaitable-here",
        "def run():\n    return max((num(x) for x in ids()), key=lambda x: num(x))\n",
    ),
    "between-generator-and-items": (
        "not-awaitable-here",
        "def run():\n    return max((num(x) for x in ids()), default=num(1))\n",
    ),
    "between-key-and-items": (
        "not-awaitable-here",
        "def run():\n    return sorted(ids(), key=num, reverse=flag(1))\n",
    ),
    "kept-generator-that-another-function-gets": (
        "generator-use",
        KEPT + "    return list(map(str, kept))\n",
    ),
    "kept-generator-in-a-name-of-two-values": (
        "generator-use",
        KEPT + "    first = next(kept)\n    kept = iter([1])\n    return first, next(kept)\n",
    ),
    "kept-generator-of-a-nested-function": (
        "generator-use",
        KEPT + "    def first():\n        return next(kept)\n    return first()\n",
    ),
    "kept-generator-whose-end-others-handle": (
        "generator-use",
        KEPT + "    return next(kept)\n\n\ndef all_of_them():\n    try:\n        return run()\n"
        "    except StopIteration:\n        return None\n",
    ),
    "item-that-an-instance-hands-out": (
        "generator-use",
        INSTANCE + "\n    def item(self):\n        return self.kept\n",
    ),
    "item-that-a-class-with-slots-keeps": (
        "generator-use",
        INSTANCE.replace("First:", "First:\n    __slots__ = ('kept',)\n"),
    ),
    "item-that-another-object-keeps": (
        "generator-use",
        INSTANCE.replace("self.kept: int", "State.kept: int") + "\n\nclass State:\n    pass\n",
    ),
    "end-of-a-generator": (
        "generator-use",
        """\
def run():
    try:
        return next(num(x) for x in ids())
    except StopIteration:
        return None
""",
    ),
}


@cache
def all_rewritten():
    """Return the texts after; one run for all, as nothing in them is refused."""
    names = {name: name.replace("-", "_") for name in REWRITTEN}
    texts = {names[name]: HEAD + text for name, text in REWRITTEN.items()}
    made = rewritten(database=DATABASE, **texts).files
    return {name: made[f"{file}.py"].decode() for name, file in names.items()}


class Row(str):
    __slots__ = ()
    name = "row"
    parts = ("p",)


def observed(source, *, waits):
    """Return what ``run()`` comes to, and in which order it called the functions of the database.

    With ``waits`` they are coroutine functions that let the loop turn.
    """
    calls = []

    def noted(name, answer):
        def function(*given):
            calls.append((name, *given))
            return answer(*given)

        async def coroutine_function(*given):
            await asyncio.sleep(0)
            return function(*given)

        return coroutine_function if waits else function

    names = {
        "load": noted("load", lambda x: Row(f"r{x}")),
        "num": noted("num", lambda x: x * 10),
        "flag": noted("flag", bool),
        "ids": noted("ids", lambda: [0, 2, 1]),
    }
    exec(compile(source.replace(HEAD, ""), "snippet", "exec"), names)
    with forgotten_coroutines():
        value = asyncio.run(names["run"]()) if waits else names["run"]()
    return value, calls


@pytest.mark.parametrize("name", REWRITTEN)
def test_same_value_and_order_of_calls(name):
    after = all_rewritten()[name]
    assert "async def run()" in after
    before = observed(REWRITTEN[name], waits=False)
    assert before[1], "nothing is asked of the database"
    assert observed(after, waits=True) == before


def test_the_instance_that_keeps_an_item_keeps_its_generator():
    names = {"ids": noted_ids, "num": noted_num}
    source = all_rewritten()["item-that-an-instance-keeps"].replace(HEAD, "")
    exec(compile(source, "snippet", "exec"), names)

    async def ended():
        made = [names["Second"].create(), names["Third"].create()]
        kept = await names["First"].create(2), *[await one for one in made]
        for _ in range(9):
            await asyncio.sleep(0)
        return list(names["ENDED"]), kept

    assert asyncio.run(ended())[0] == []


async def noted_ids():
    return [0, 2]


async def noted_num(x):
    return x


def test_what_has_lines_of_its_own_gets_a_statement_of_its_own():
    assert LAID_OUT in all_rewritten()["in-brackets"]


def test_new_names_ask_for_those_of_their_function_alone():
    after = all_rewritten()["names"]
    lines = [one.strip() for one in after.splitlines() if "await load(" in one]
    assert lines == ["result = await load(", *["upper_result = await load("] * 2]
    assert "(item_2) for item_2 in " in after


def test_the_result_of_a_query_is_named_after_what_it_becomes_or_selects():
    query = "session.execute(\n            select(UserRole)\n        ).scalars().all()\n"
    files = rewritten(
        database="from sqlalchemy.orm import declarative_base\n"
        f"{DATABASE}\n\nBase = declarative_base()\n",
        roles="from sqlalchemy import Column, Integer, select\n"
        "from sqlalchemy.orm import Session\nfrom database import Base, engine\n\n\n"
        'class UserRole(Base):\n    __tablename__ = "roles"\n'
        "    id = Column(Integer, primary_key=True)\n\n\n"
        "def roles(result):\n    with Session(engine) as session:\n"
        f"        kept = {query}        return kept and {query}        return {query}",
    ).files
    lines = files["roles.py"].decode().splitlines()
    names = [one.split(" = ")[0].strip() for one in lines if " = await " in one]
    assert names == ["kept_result", "user_role_result"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_rewritten_is_refused_with_all_that_it_needs(name):
    reason, text = REFUSED[name]
    result = rewritten(database=DATABASE, snippet=HEAD + text)
    assert not result.report.files
    assert f"session-to-async/{reason}" in {one.reason for one in result.findings}

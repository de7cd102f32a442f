"""The proof follows objects that no annotation tells, and calls of functions of two kinds."""

from __future__ import annotations

import pytest
from planned import program_of

from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.contract import Change, ChangeId, Level, SiteId, Span, TextEdit
from awaken.project import Snapshot
from awaken.workspace.sources import decode

FILES = {
    "shop.py": """\
from contextlib import asynccontextmanager
from typing import Any, Protocol


class Orders:
    async def count(self) -> int:
        return 1


class Opened:
    async def __aenter__(self) -> Orders:
        return Orders()

    async def __aexit__(self, *error: object) -> None:
        return None


class Unit(Protocol):
    def begin(self) -> Any: ...


class Managed:
    @asynccontextmanager
    async def begin(self):
        yield Orders()


class Handing:
    def begin(self) -> Opened:
        return Opened()


class Sell:
    orders: Orders

    def __init__(self, orders: Orders) -> None:
        self.orders = orders


async def total(orders: Any) -> int:
    return await orders.count()


async def sell(unit: Unit) -> int:
    async with unit.begin() as orders:
        return await orders.count()


async def sold(by: Sell) -> int:
    return await by.orders.count()


async def run() -> None:
    await total(Orders())
    await sell(Managed())
    await sell(Handing())
""",
    "test_shop.py": """\
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

from shop import Orders, Sell, sold, total


class Contract:
    async def make(self) -> Any:
        raise NotImplementedError

    async def test_there_is_one(self) -> None:
        assert await (await self.make()).count() == 1


class Fake:
    async def count(self) -> int:
        return 1


class TestFake(Contract):
    async def make(self) -> Fake:
        return Fake()


class TestOrders(Contract):
    async def make(self) -> Orders:
        return Orders()


async def test_the_fake_counts() -> None:
    assert await total(Fake()) == 1


async def test_a_namespace_sells() -> None:
    raw = SimpleNamespace(orders=SimpleNamespace(count=AsyncMock(return_value=1)))
    assert await sold(cast(Sell, raw)) == 1
""",
}
LEFT_OUT = [
    ("shop.py", "await orders.count()\n\n\nasync def sell", "orders.count()\n\n\nasync def sell"),
    ("shop.py", "async with unit", "with unit"),
    ("shop.py", "async def __aenter__", "def __aenter__"),
    ("shop.py", "async def __aexit__", "def __aexit__"),
    ("shop.py", "await by.orders", "by.orders"),
    ("test_shop.py", "await (await self.make())", "(await self.make())"),
    ("test_shop.py", "(await self.make())", "(self.make())"),
    ("test_shop.py", "async def make(self) -> Any", "def make(self) -> Any"),
    ("test_shop.py", "async def make(self) -> Fake", "def make(self) -> Fake"),
    ("test_shop.py", "async def count", "def count"),
    ("test_shop.py", "=AsyncMock", "=Mock"),
]


def _proved(after, before):
    changed = Change(
        id=ChangeId("all"),
        rule="session-to-async",
        title="",
        level=Level.UNSAFE,
        sites=(),
        edits=tuple(
            TextEdit(path=path, anchor=Span(0, 0), text="", site=SiteId("s")) for path in after
        ),
    )
    snapshot = Snapshot({path: decode(path, text.encode()) for path, text in before.items()})
    return list(problems(Before(snapshot), program_of(after), [changed]))


def _without(path, there, instead):
    assert FILES[path].count(there) == 1
    text = FILES[path].replace(there, instead).replace("import AsyncMock", "import AsyncMock, Mock")
    return FILES | {path: text}


def test_what_is_awaited_everywhere_is_proved():
    assert not _proved(FILES, {})


@pytest.mark.parametrize(("path", "there", "instead"), LEFT_OUT)
def test_each_word_that_is_left_out_is_seen(path, there, instead):
    assert _proved(_without(path, there, instead), {})


def test_a_plain_function_that_returns_a_coroutine_may_be_awaited():
    indirect = """

class Lazy:
    def count(self) -> Any:
        return Orders().count()


class Unknown:
    def count(self):
        return Orders().count()


async def more() -> int:
    return await total(Lazy()) + await total(Unknown())
"""
    assert not _proved(FILES | {"shop.py": FILES["shop.py"] + indirect}, {})


@pytest.mark.parametrize("is_before", [True, False])
def test_what_was_so_before_is_no_problem(is_before):
    files = {
        "shop.py": """\
from typing import Any


class Orders:
    async def count(self) -> int:
        return 1


class Kept:
    def count(self) -> int:
        return 1


class Entered:
    def __aenter__(self) -> int:
        return 1


async def total(orders: Any) -> int:
    return await orders.count()


async def run() -> None:
    await total(Orders())
    await total(Kept())
"""
    }
    assert bool(_proved(files, files if is_before else {})) is not is_before

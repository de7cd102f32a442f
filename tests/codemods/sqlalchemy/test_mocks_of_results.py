"""Mocks that stand for what functions give: their methods that wait can be awaited."""

from __future__ import annotations

import re
from functools import cache

import pytest
from planned import forgotten_coroutines, printed, program_of, rewritten

from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.contract import Change, ChangeId, Level, SiteId, Span, TextEdit
from awaken.project import Snapshot
from awaken.workspace.sources import decode

DATABASE = """
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
SHOP = """
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Item, LocalSession


class Prices:
    def load(self, db: Session) -> int:
        return len(db.scalars(select(Item)).all())


class Store:
    def __init__(self) -> None:
        self.prices: Prices | None = Prices()

    def name(self) -> str:
        return "store"

    def count(self, db: Session) -> int:
        return len(db.scalars(select(Item)).all())


class Town:
    def store(self, name: str) -> Store:
        return Store()


def prices_of(store: Store) -> Prices | None:
    return store.prices


def loaded(db: Session, store: Store) -> int:
    prices = prices_of(store)
    return prices.load(db) if prices else 0


class Till:
    def __init__(self, town: Town) -> None:
        self.store = town.store("till")

    def count(self, db: Session) -> int:
        return self.store.count(db)


def total(name: str) -> str:
    town = Town()
    with LocalSession() as db:
        store = town.store(name)
        found = 0
        if store.prices:
            found += store.prices.load(db)
        return f"{store.name()} {found}"


def handed(name: str) -> int:
    with LocalSession() as db:
        return loaded(db, Town().store(name))


def counted(name: str) -> int:
    with LocalSession() as db:
        known = cast(Any, Town().store(name))
        return known.count(db)


def till() -> int:
    with LocalSession() as db:
        return Till(Town()).count(db)
"""
CHECKS = """
from unittest.mock import MagicMock, patch

import pytest

from shop import Prices, Store, counted, handed, till, total


@patch("shop.Town.store")
def attribute_of_a_mock(store_of):
    prices = MagicMock()
    prices.load.return_value = 3
    store = MagicMock()
    store.name.return_value = "mocked"
    store.prices = prices
    store_of.return_value = store
    found = total("one")
    prices.load.assert_called_once()
    return found


def told_of_the_result():
    with patch("shop.Town.store") as store_of:
        store_of.return_value.name.return_value = "mocked"
        store_of.return_value.prices.load.return_value = 4
        return total("one")


def method_of_the_result():
    with patch("shop.Town.store") as store_of:
        store_of.return_value.prices.load = MagicMock(return_value=5)
        return handed("one")


def no_attribute():
    with patch("shop.Town.store") as store_of:
        store_of.return_value.prices = None
        return handed("one")


def given_to_the_patch():
    prices = MagicMock(load=MagicMock(return_value=6))
    with patch("shop.Town.store", return_value=MagicMock(prices=prices)):
        return handed("one")


def lambda_that_gives():
    store = MagicMock()
    store.count.return_value = 7
    with patch("shop.Town.store", lambda self, name: store):
        return counted("one")


def function_that_gives():
    store = MagicMock()
    store.count.return_value = 8

    def of(self, name):
        return store

    with patch("shop.Town.store", of):
        return counted("one")


def effects():
    one = MagicMock(**{"count.return_value": 9})
    with patch("shop.Town.store", side_effect=[one, ValueError("no store")]):
        found = counted("one")
        try:
            return counted("two")
        except ValueError as error:
            return f"{found} {error}"


def mock_that_is_put_there():
    with patch("shop.Town.store", MagicMock()) as store_of:
        store_of.return_value.prices.load.return_value = 10
        return handed("one")


def whole_class():
    with patch("shop.Town") as town:
        store = MagicMock()
        town.return_value.store.return_value = store
        store.prices.load.return_value = 11
        return handed("one")


def attribute_that_a_spec_lacks():
    store = MagicMock(spec=Store)
    store.count.return_value = 13
    with patch("shop.Town.store", return_value=store):
        try:
            total("one")
        except AttributeError:
            return counted("one")


def attribute_beside_a_spec():
    store = MagicMock(spec=Store)
    store.prices = MagicMock(spec=Prices)
    store.prices.load.return_value = 14
    with patch("shop.Town.store", return_value=store):
        return handed("one")


@pytest.fixture
def stores():
    with patch("shop.Town.store") as store_of:
        yield store_of


def test_mock_of_a_fixture(stores):
    store = MagicMock()
    store.count.return_value = 15
    stores.return_value = store
    assert counted("one") == 15


def kept_by_an_object():
    with patch("shop.Town.store", autospec=True) as store_of:
        store_of.return_value.count.return_value = 12
        return till()
"""
EXPECTED = {
    "attribute_of_a_mock": "mocked 3",
    "told_of_the_result": "mocked 4",
    "method_of_the_result": 5,
    "no_attribute": 0,
    "given_to_the_patch": 6,
    "lambda_that_gives": 7,
    "function_that_gives": 8,
    "effects": "9 no store",
    "mock_that_is_put_there": 10,
    "whole_class": 11,
    "attribute_that_a_spec_lacks": 13,
    "attribute_beside_a_spec": 14,
    "kept_by_an_object": 12,
}
RUN = """
import asyncio
import inspect

import test_shop

found = test_shop.{name}()
print(asyncio.run(found) if inspect.iscoroutine(found) else found)
"""


@cache
def after():
    """Return the files after; one run for all, as nothing in them is refused."""
    result = rewritten(database=DATABASE, shop=SHOP, test_shop=CHECKS)
    assert not [one.message for one in result.report.findings if one.reason]
    return dict(result.files)


def before():
    texts = {"database.py": DATABASE, "shop.py": SHOP, "test_shop.py": CHECKS}
    return {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("side", ["before", "after"])
def test_what_mocks_give_is_awaited(name, side, tmp_path, capsys, monkeypatch):
    files = before() if side == "before" else after()
    is_asynchronous = f"async def {name}".encode() in files["test_shop.py"]
    assert is_asynchronous == (side == "after")
    files = {**files, "run.py": RUN.format(name=name).encode()}

    with forgotten_coroutines():
        assert printed("run.py", files, tmp_path / side, capsys, monkeypatch) == (
            f"{EXPECTED[name]}\n"
        )


def proved(files):
    """Return what the proof says of the program with these tests."""
    edits = [TextEdit(path=path, anchor=Span(0, 0), text="", site=SiteId("")) for path in files]
    change = Change(
        id=ChangeId("all"),
        rule="session-to-async",
        title="",
        level=Level.UNSAFE,
        sites=(),
        edits=tuple(edits),
    )
    known = Before(Snapshot({path: decode(path, text) for path, text in before().items()}))
    after_it = program_of({path: text.decode() for path, text in files.items()})
    return list(problems(known, after_it, [change]))


@pytest.mark.slow
def test_the_proof_sees_each_mock_that_cannot_be_awaited():
    files = after()
    tests = files["test_shop.py"].decode()
    places = [one.start() for one in re.finditer(r"AsyncMock\(", tests)]
    unseen = [
        tests[:place].count("\n") + 1
        for place in places
        if not proved(
            {**files, "test_shop.py": f"{tests[:place]}Magic{tests[place + 5 :]}".encode()}
        )
    ]

    assert len(places) > len(EXPECTED)
    assert not proved(files)
    assert not unseen


def test_a_mock_that_a_fixture_hands_on_gives_what_can_be_awaited():
    assert "store = MagicMock(\n        count=AsyncMock(" in after()["test_shop.py"].decode()

"""Test doubles of functions that become coroutine functions: what is refused of them."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import session_to_async

PROGRAM = {
    "database.py": """
        from sqlalchemy.orm import sessionmaker

        LocalSession = sessionmaker()
    """,
    "shop.py": """
        from sqlalchemy import select, text
        from sqlalchemy.orm import Session

        def price(db: Session) -> int:
            return db.scalar(text("select 1"))

        def plain() -> int:
            return 1

        def order(db: Session) -> int:
            return price(db) + plain()

        def order_alone() -> int:
            from database import LocalSession

            with LocalSession() as db:
                return order(db)

        class Prices:
            def of(self, db: Session) -> int:
                return price(db)
    """,
    "tests/test_shop.py": """
        import shop
        from functools import partial
        from unittest.mock import AsyncMock, MagicMock, Mock, patch
        from sqlalchemy.orm import Session

        def one(db):
            return 1

        {test}
    """,
}


def _refused(test: str) -> list[str]:
    files = {path: dedent(text).replace("{test}", dedent(test)) for path, text in PROGRAM.items()}
    findings = session_to_async(files).findings
    return [one.message for one in findings if "test-double" in (one.reason or "")]


MIXED = """
    def counted():
        return shop.price(Session())
    def test(monkeypatch):
        monkeypatch.setattr(shop, "{0}", counted)
"""
BOTH = """
    def test(monkeypatch, db: Session):
        def fake(*args):
            return 1
        monkeypatch.setattr(shop, "price", fake)
        monkeypatch.setattr(shop, "plain", fake)
        shop.order(db)
"""
BOUND = """
    def test(monkeypatch, db: Session):
        monkeypatch.setattr(shop.Prices, "of", one)
        monkeypatch.setattr(shop, "plain", one)
        shop.Prices().of(db)
"""
MOCK = """
    def test(db: Session):
        with patch("shop.price", {0}) as mock:
            shop.order(db)
"""


def test_what_waits_stands_in_for_what_waits_alone():
    why = (
        "`counted`, which becomes a coroutine function, stands in for `shop.plain`, which does not"
    )

    assert _refused(MIXED.format("plain")) == [why]
    assert _refused(MIXED.format("price")) == []


def test_what_stands_in_for_both_kinds_is_called_by_a_mock():
    assert _refused(BOTH) == []


def test_a_method_is_replaced_by_what_is_given_its_object():
    (why,) = _refused(BOUND)

    assert why.startswith(
        "`shop.Prices.of` waits, once the program is asynchronous, and whether `one`"
    )


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        ("new=Mock()", False),
        ("Mock(return_value=1)", False),
        ("AsyncMock()", False),
        ("new_callable=MagicMock", False),
        ("new_callable=partial(Mock, return_value=1)", True),
        ("partial(one)", True),
        ("one", False),
    ],
)
def test_what_a_mock_is_bound_to_stays_what_it_is(given, is_refused):
    assert bool(_refused(MOCK.format(given))) == is_refused


def test_a_result_has_methods_of_one_kind():
    test = """
        def test(db: Session):
            with patch("shop.price") as mock:
                mock.return_value.of.return_value = 1
                {0}
                shop.order(db)
    """

    assert _refused(test.format("")) == []
    (why,) = _refused(test.format("mock.return_value.upper.return_value = 2"))
    assert why == "what `shop.price` gives has methods that wait, and others"


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [("sessionmaker()", False), ("Session", True), ("lambda: 1", True), ("Mock()", True)],
)
def test_a_factory_of_sessions_is_replaced_by_one(given, is_refused):
    test = f"""
        from sqlalchemy.orm import sessionmaker
        def test(monkeypatch):
            factory = {given}
            monkeypatch.setattr("database.LocalSession", factory)
            shop.order_alone()
    """

    assert bool(_refused(test)) == is_refused


PATCHED_CLASS = """
    def test(db: Session):
        session = MagicMock()
        session.__enter__.return_value = {0}
        with patch("shop.Session", {1}):
            shop.order(db)
"""


def test_a_patched_session_class_is_understood_by_its_mock_alone():
    entered = PATCHED_CLASS.format("session", "return_value=session")
    another = PATCHED_CLASS.format("db", "return_value=session")
    unknown = PATCHED_CLASS.format("session", "new=one")

    assert _refused(entered) == []
    assert "`shop.Session` waits" in _refused(another)[0]
    assert "`shop.Session` waits" in _refused(unknown)[0]

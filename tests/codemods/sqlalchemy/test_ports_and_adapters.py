"""Ports, adapters and what tests put in their place: what changes together, and what refuses."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

UNITS = """\
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///shop.db")


class Unit(Protocol):
    def transaction(self) -> AbstractContextManager[str]: ...

    def rows(self) -> Iterator[int]: ...


class SqlUnit:
    @contextmanager
    def transaction(self) -> Iterator[str]:
        with Session(engine) as session:
            yield str(session.scalar(text("SELECT 1")))

    def rows(self) -> Iterator[int]:
        with Session(engine) as session:
            yield session.scalar(text("SELECT 1"))


class Opened:
    def __enter__(self) -> str:
        return "opened"

    def __exit__(self, *error: object) -> None:
        return None


class Other:
    def transaction(self):
        {body}
        return {given}

    def rows(self) -> Iterator[int]:
        yield 2


def use(unit: Unit) -> list[str]:
    with unit.transaction() as found:
        return [found, *[str(one) for one in unit.rows()]]
"""


def units(body="pass", given="Opened()"):
    return UNITS.format(body=body, given=given)


def reasons(texts, **options):
    findings = session_to_async(texts, **options).findings
    assert findings
    return {reason_of(one) for one in findings} - {"beside-another", ""}


def test_declarations_say_what_is_entered_and_iterated_and_are_no_coroutine_functions():
    found = rewritten(units=units())
    after = found.files["units.py"].decode()
    assert "    def transaction(self) -> AbstractAsyncContextManager[str]: ..." in after
    assert "    def rows(self) -> AsyncIterator[int]: ..." in after
    assert "    def transaction(self):\n        pass\n        return Opened()" in after
    assert "    async def __aenter__(self) -> str:" in after
    assert "    async with unit.transaction() as found:" in after


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("pass", "open('x')"),
        ("pass", "Opened() if engine else open('x')"),
        ("pass", "elsewhere()"),
    ],
)
def test_what_gives_anything_else_to_be_entered_refuses(body, given):
    assert reasons({"units.py": units(body, given)})


def test_what_waits_and_gives_a_manager_refuses():
    body = "Session(engine).scalar(text('SELECT 1'))"
    assert "not-awaitable-here" in reasons({"units.py": units(body)})


PROBE = """\
from typing import Any
from sqlalchemy import create_engine, text


def probe(engine: Any) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def run():
    probe(create_engine("sqlite:///shop.db"))
"""
FAKES = """\
from contextlib import contextmanager
from probe import probe


class Connection:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def execute(self, statement):
        return 1


class Engine:
    {decorator}
    def connect(self):
        {connect}


def test_probe():
    probe(Engine())
"""


@pytest.mark.parametrize(
    ("decorator", "connect", "expected"),
    [
        ("", "return Connection()", set()),
        ("@contextmanager", "yield Connection()", set()),
        ("", "return open('x')", {"test-double"}),
        ("", "return elsewhere()", {"test-double"}),
    ],
)
def test_a_fake_of_an_engine_gives_what_is_entered(decorator, connect, expected):
    fakes = FAKES.format(decorator=decorator, connect=connect)
    assert reasons({"probe.py": PROBE, "tests/test_probe.py": fakes}) == expected


THREAD = """\
import threading
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine({url!r})


def count() -> int:
    with Session(engine) as session:
        return session.scalar(text("SELECT 1"))


def test_count():
    found = []

    def run():
        found.append(count())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [1]
"""


@pytest.mark.parametrize(
    ("path", "url", "expected"),
    [
        ("tests/test_count.py", "sqlite:///shop.db", set()),
        ("tests/test_count.py", "postgresql+psycopg://shop", set()),
        ("tests/test_count.py", "postgresql+asyncpg://shop", {"in-thread"}),
        ("shop/count.py", "sqlite:///shop.db", {"in-thread"}),
    ],
)
def test_a_thread_of_a_test_runs_a_loop_where_connections_work_in_any(path, url, expected):
    driver = {"postgresql": "asyncpg"} if "asyncpg" in url else {}
    url = url.replace("+asyncpg", "")
    assert reasons({path: THREAD.format(url=url)}, drivers=driver) == expected


NAMESPACE = """\
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

from sqlalchemy import create_engine, text

engine = create_engine("sqlite:///shop.db")


@dataclass
class Sell:
    name: str

    def execute(self) -> int:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1"))


def sell(by: Sell) -> int:
    return by.execute()
"""


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("lambda: 7", "AsyncMock(side_effect=lambda: 7)"),
        ("seven", "AsyncMock(side_effect=seven)"),
        ("AsyncMock(return_value=7)", "AsyncMock(return_value=7)"),
    ],
)
def test_what_a_namespace_has_in_the_place_of_a_method_is_awaited(value, written):
    test = f"""\
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock

from sell import Sell, sell


def seven():
    return 7


def test_sell():
    raw = SimpleNamespace(execute={value}, name="x")
    assert sell(cast(Sell, raw)) == 7
"""
    found = rewritten(sell=NAMESPACE, test_sell=test)
    assert f"execute={written}, name" in found.files["test_sell.py"].decode()

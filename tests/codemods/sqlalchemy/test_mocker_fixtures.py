"""The fixtures of pytest-mock, which tests ask for by their names alone."""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from unittest.mock import MagicMock, Mock, patch

from planned import forgotten_coroutines, reason_of, rewritten

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def load():
    with LocalSession() as session:
        return session.scalar(select(literal(3)))
"""
TESTS = """\
import pytest
from sqlalchemy import literal, select

import database


@pytest.fixture
def session():
    with database.LocalSession() as session:
        yield session


@pytest.fixture
def factory(mocker, session):
    return mocker.patch("database.LocalSession", return_value=session)


def test_of_the_session(factory):
    assert database.load() == 3
    with factory() as session:
        assert session.scalar(select(literal(4))) == 4
    assert factory.call_count == 2


def test_of_a_mock(mocker):
    double = mocker.MagicMock(return_value=5)
    mocker.patch.object(database, "engine", double)
    assert double() == 5 and database.engine is double
    double.execute(literal(6)).scalars()
    mocker.patch("database.engine").execute(literal(7))
"""


READER = """\
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from database import LocalSession


class Reader:
    def __init__(self, session: Session):
        self.session = session

    def number(self):
        return self.session.scalar(select(literal(3)))


def load(reader: Reader):
    return reader.number() + 1


def main():
    with LocalSession() as session:
        print(load(Reader(session)))
"""
TESTS_OF_MOCKS = """\
import reader


def test_of_a_session_and_an_object(mocker):
    session = mocker.Mock()
    session.scalar.return_value = 5
    assert reader.Reader(session).number() == 5
    double = mocker.MagicMock()
    double.number.return_value = 6
    assert reader.load(double) == 7
"""


async def run_tests(files, monkeypatch):
    """Run the first test of a program, with what pytest and pytest-mock pass to it."""
    database = types.ModuleType("database")
    exec(files["database.py"].decode(), database.__dict__)
    monkeypatch.setitem(sys.modules, "database", database)
    names = {}
    exec(files["test_shop.py"].decode().replace("@pytest.fixture\n", ""), names)
    mocker = types.SimpleNamespace(patch=lambda *args, **given: patch(*args, **given).start())
    opened = names["session"]()
    session = await anext(opened) if inspect.isasyncgen(opened) else next(opened)
    try:
        test = names["test_of_the_session"](names["factory"](mocker, session))
        if inspect.isawaitable(test):
            await test
    finally:
        patch.stopall()
        await opened.aclose() if inspect.isasyncgen(opened) else opened.close()
        disposed = database.engine.dispose()
        if inspect.isawaitable(disposed):
            await disposed


def test_the_session_that_a_mock_gives_is_awaited(monkeypatch):
    result = rewritten(database=DATABASE, test_shop=TESTS)
    after = result.files["test_shop.py"].decode()
    assert "async with factory() as session:\n        assert await session.scalar(" in after
    assert "\ndef test_of_a_mock(mocker):" in after
    assert {reason_of(finding) for finding in result.report.findings} == {""}
    before = {"database.py": DATABASE.encode(), "test_shop.py": TESTS.encode()}
    with forgotten_coroutines():
        for files in (before, result.files):
            asyncio.run(run_tests(files, monkeypatch))


def test_the_mocks_of_the_fixture_get_awaitable_methods(monkeypatch):
    before = {"database.py": DATABASE, "reader.py": READER, "test_reader.py": TESTS_OF_MOCKS}
    result = rewritten(database=DATABASE, reader=READER, test_reader=TESTS_OF_MOCKS)
    after = {path: text.decode() for path, text in result.files.items()}
    assert "mocker.Mock(scalar=AsyncMock(return_value=MagicMock()))" in after["test_reader.py"]
    assert {reason_of(finding) for finding in result.report.findings} == {""}
    with forgotten_coroutines():
        for files in (before, before | after):
            for name in ("database", "reader"):
                module = types.ModuleType(name)
                monkeypatch.setitem(sys.modules, name, module)
                exec(files[f"{name}.py"], module.__dict__)
            names = {}
            exec(files["test_reader.py"], names)
            mocker = types.SimpleNamespace(Mock=Mock, MagicMock=MagicMock)
            test = names["test_of_a_session_and_an_object"](mocker)
            if inspect.isawaitable(test):
                asyncio.run(test)

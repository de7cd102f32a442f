"""What tests put in the place of functions: their suites are run before and after rewriting."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from msgspec.structs import replace

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings


@dataclass(frozen=True)
class Program:
    rule: str
    main: str
    test: str
    levels: tuple[str, ...]
    """The levels of the sites of the program; what is unsafe makes the suite fail."""
    caveat: str = ""
    family: str = "sqlalchemy"


SESSIONS = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)
Other = sessionmaker(engine)


def count():
    db = SessionLocal()
    try:
        return db.execute(text("select 1")).scalar_one()
    finally:
        db.close()


def other():
    db = Other()
    try:
        return db.execute(text("select 2")).scalar_one()
    finally:
        db.close()
"""
TASKS = """\
import asyncio


async def job():
    await asyncio.sleep(0)


async def start():
    asyncio.create_task(job())
    return 1


async def other():
    asyncio.get_running_loop().create_task(job())
    return 2
"""
JOBS = """\
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


class Job:
    factory = SessionLocal
    plain = SessionLocal

    def session(self) -> Session:
        return SessionLocal()

    def by_attribute(self):
        db = self.factory()
        try:
            return db.execute(text("select 1")).scalar_one()
        finally:
            db.close()

    def by_method(self):
        db = self.session()
        try:
            return db.execute(text("select 1")).scalar_one()
        finally:
            db.close()

    def by_plain(self):
        db = self.plain()
        try:
            return db.execute(text("select 1")).scalar_one()
        finally:
            db.close()


@dataclass
class Field:
    factory: Callable[[], Session] = SessionLocal

    def by_field(self):
        db = self.factory()
        try:
            return db.execute(text("select 1")).scalar_one()
        finally:
            db.close()


class Replaced:
    factory = SessionLocal

    def by_object(self):
        db = self.factory()
        try:
            return db.execute(text("select 1")).scalar_one()
        finally:
            db.close()


job = Replaced()
"""
KEPT = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

engine = create_engine("sqlite://")


class Kept(Session):
    left = False

    def __exit__(self, *error):
        self.left = True


options = {"class_": Kept}
plain = {"autoflush": False}
Options = sessionmaker(engine, **options)
Plain = sessionmaker(engine, **plain)
Registry = scoped_session(sessionmaker(engine, class_=Kept))


def make() -> Session:
    return Kept(engine)


class Job:
    def __init__(self, maker: sessionmaker[Session]):
        self.maker = maker

    def by_maker(self):
        db = self.maker()
        try:
            return getattr(db, "left", False), db
        finally:
            db.close()


def by_options():
    db = Options()
    try:
        return getattr(db, "left", False), db
    finally:
        db.close()


def by_registry():
    db = Registry()
    try:
        return getattr(db, "left", False), db
    finally:
        db.close()


def by_function():
    db = make()
    try:
        return getattr(db, "left", False), db
    finally:
        db.close()


def by_plain():
    db = Plain()
    try:
        return getattr(db, "left", False), db
    finally:
        db.close()


job = Job(sessionmaker(engine, class_=Kept))
"""
FAKE_SESSION = """\
class Fake:
    def execute(self, statement):
        return self

    def scalar_one(self):
        return 1

    def close(self):
        self.closed = True
"""
SQL = """\
from sqlalchemy.orm import Session


def ping(db: Session):
    return db.execute("select 1").scalar()


def available(db: Session):
    try:
        return check(db)
    except Exception:
        return "down"


def check(db: Session):
    return db.scalar("select 2")


def other(db: Session):
    return db.scalar("select 3")
"""
LOOPS = """\
import asyncio


async def start():
    return 1 if asyncio.get_event_loop().is_running() else 0
"""
THREADS = """\
import asyncio


async def start():
    return await asyncio.get_running_loop().run_in_executor(None, min, 1, 2)
"""
AUDITS = """\
async def audit():
    pass


async def start():
    audit()
    return 1
"""
LOADS = """\
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship()


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def report(db: Session):
    return {u.name: sum(o.total for o in u.orders) for u in db.scalars(select(User))}
"""
REPLACED = "test_main.py replaces `{}`"
PROGRAMS = {
    "the factory, by a class": Program(
        "session-context-manager",
        SESSIONS,
        FAKE_SESSION
        + """
def test_it(monkeypatch):
    monkeypatch.setattr(main, "SessionLocal", Fake)
    assert main.count() == 1
    assert main.other
""",
        # `with` cannot enter the fake: no rewrite passes the suite.
        ("manual", "safe"),
        REPLACED.format("SessionLocal"),
    ),
    "the factory, by a mock whose close is asserted": Program(
        "session-context-manager",
        SESSIONS,
        """
def test_it():
    with patch.object(main, "SessionLocal") as factory:
        main.count()
    factory.return_value.close.assert_called_once_with()
""",
        ("unsafe", "safe"),
        REPLACED.format("SessionLocal"),
    ),
    "the factory, by a function of a fixture": Program(
        "session-context-manager",
        SESSIONS,
        FAKE_SESSION
        + """
@pytest.fixture
def fake(monkeypatch):
    fake = Fake()
    monkeypatch.setattr("main.SessionLocal", lambda: fake)
    return fake

def test_it(fake):
    assert main.count() == 1
""",
        # `with` cannot enter the fake: no rewrite passes the suite.
        ("manual", "safe"),
        REPLACED.format("SessionLocal"),
    ),
    "the factory, by one for tests": Program(
        "session-context-manager",
        SESSIONS,
        """
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

Testing = sessionmaker(create_engine("sqlite://"))

def test_it(monkeypatch):
    monkeypatch.setattr(main, "SessionLocal", Testing)
    assert main.count() == 1

def test_made(monkeypatch):
    monkeypatch.setattr(main, "Other", lambda: Testing())
    assert main.other() == 2
""",
        ("safe", "safe"),
    ),
    "the factory, which is a parameter": Program(
        "session-context-manager",
        """\
from collections.abc import Callable

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def count(factory: Callable[[], Session] = SessionLocal):
    db = factory()
    try:
        return db.execute(text("select 1")).scalar_one()
    finally:
        db.close()
""",
        FAKE_SESSION
        + """
def test_it():
    assert main.count(Fake) == 1
""",
        ("unsafe",),
        "a caller may pass a `factory` that returns something other than a session",
    ),
    "the factory, which a subclass or an object has of its own": Program(
        "session-context-manager",
        JOBS,
        FAKE_SESSION
        + """
class FakeJob(main.Job):
    factory = Fake
    plain = main.SessionLocal

    def session(self):
        return Fake()

def test_it():
    assert FakeJob().by_attribute() == 1

def test_method():
    assert FakeJob().by_method() == 1

def test_field():
    assert main.Field(Fake).by_field() == 1

def test_object():
    main.job.factory = Fake
    assert main.job.by_object() == 1
""",
        # Nothing tells which of the first ones has the fake; the last one surely has.
        ("unsafe", "unsafe", "safe", "unsafe", "manual"),
        "`self.",
    ),
    "factories that make sessions with ends of their own": Program(
        "session-context-manager",
        KEPT,
        """
def test_it():
    for one in (main.job.by_maker, main.by_options, main.by_registry, main.by_function):
        left, db = one()
        assert not left and not db.left

def test_plain():
    main.by_plain()
""",
        ("manual", "manual", "manual", "manual", "safe"),
    ),
    "create_task, by what gives no task": Program(
        "dangling-task",
        TASKS,
        """
def test_it(monkeypatch):
    monkeypatch.setattr("main.asyncio.create_task", lambda job: job.close())
    assert asyncio.run(main.start()) == 1
""",
        ("unsafe", "safe"),
        REPLACED.format("asyncio.create_task"),
        "asyncio",
    ),
    "create_task, by a mock whose calls are asserted": Program(
        "dangling-task",
        TASKS,
        """
def test_it():
    with patch("asyncio.create_task", Mock()) as made, patch("main.job", Mock()):
        asyncio.run(main.start())
        assert len(made.mock_calls) == 1
""",
        ("unsafe", "safe"),
        REPLACED.format("asyncio.create_task"),
        "asyncio",
    ),
    "strings: a mock that is asked for them": Program(
        "raw-sql-text",
        SQL,
        """
def test_it():
    db = MagicMock()
    main.ping(db)
    db.execute.assert_called_once_with("select 1")
""",
        ("unsafe", "unsafe", "safe"),
        "",
    ),
    "strings: a session that is written by hand": Program(
        "raw-sql-text",
        SQL,
        """
class Fake:
    def execute(self, statement):
        assert statement.startswith("select")
        return self

    def scalar(self):
        return 1

def test_it():
    assert main.ping(Fake()) == 1
""",
        ("unsafe", "unsafe", "safe"),
    ),
    "strings: a failure that is caught above": Program(
        "raw-sql-text",
        SQL,
        """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

def test_it():
    assert main.available(Session(create_engine("sqlite://"))) == "down"
""",
        ("safe", "unsafe", "safe"),
        "it fails today, and a surrounding `except` hides that",
    ),
    "strings: a failure that a test expects": Program(
        "raw-sql-text",
        SQL,
        """
from sqlalchemy import create_engine, exc
from sqlalchemy.orm import Session

def test_it():
    with pytest.raises(exc.ArgumentError):
        main.ping(Session(create_engine("sqlite://")))
""",
        ("unsafe", "unsafe", "safe"),
        "it fails today, and a surrounding `except` hides that",
    ),
    "the running loop, which is asked for from now on": Program(
        "running-loop",
        LOOPS,
        """
def test_it():
    real, calls = asyncio.get_running_loop, []
    with patch("asyncio.get_running_loop", lambda: calls.append(1) or real()):
        assert asyncio.run(main.start()) == 1
    assert not calls
""",
        ("unsafe",),
        REPLACED.format("asyncio.get_running_loop"),
        "asyncio",
    ),
    "a thread, which is made from now on": Program(
        "executor-to-thread",
        THREADS,
        """
def test_it(monkeypatch):
    monkeypatch.setattr(asyncio, "to_thread", Mock(side_effect=AssertionError))
    assert asyncio.run(main.start()) == 1
""",
        ("unsafe",),
        REPLACED.format("asyncio.to_thread"),
        "asyncio",
    ),
    "a function that sleeps": Program(
        "blocking-call",
        """\
import time


async def start():
    time.sleep(0.5)
    return 1
""",
        """
def test_it(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    assert asyncio.run(main.start()) == 1
    assert slept == [0.5]
""",
        ("unsafe",),
        REPLACED.format("time.sleep"),
        "asyncio",
    ),
    "a coroutine function, by a plain mock": Program(
        "missing-await",
        AUDITS,
        """
def test_it():
    with patch("main.audit", Mock()):
        assert asyncio.run(main.start()) == 1
""",
        ("unsafe",),
        REPLACED.format("audit"),
        "asyncio",
    ),
    "the limit, by what a test calls": Program(
        "wait-for-to-timeout",
        """\
import asyncio


async def start():
    return await asyncio.wait_for(asyncio.sleep(0, 1), 5)
""",
        """
def test_it(monkeypatch):
    monkeypatch.setattr("asyncio.timeout", Mock(side_effect=AssertionError))
    assert asyncio.run(main.start()) == 1
""",
        ("unsafe",),
        REPLACED.format("asyncio.timeout"),
        "asyncio",
    ),
    "what makes engines, by a mock that is asked for its arguments": Program(
        "pool-pre-ping",
        """\
from sqlalchemy import create_engine


def make(url="postgresql://localhost/x"):
    return create_engine(url, pool_size=5)
""",
        """
def test_it():
    with patch("main.create_engine") as create:
        main.make("postgresql://h/db")
    create.assert_called_once_with("postgresql://h/db", pool_size=5)
""",
        ("unsafe",),
        REPLACED.format("create_engine"),
        "pooling",
    ),
    "what makes engines of a URL that fails": Program(
        "async-driver-url",
        """\
from sqlalchemy.ext.asyncio import create_async_engine


def make():
    return create_async_engine("sqlite:///x.db")
""",
        """
def test_it():
    with patch("main.create_async_engine") as create:
        main.make()
    create.assert_called_once_with("sqlite:///x.db")
""",
        ("unsafe",),
        REPLACED.format("create_async_engine"),
        "pooling",
    ),
    "an engine that fails, which is caught above": Program(
        "async-driver-url",
        """\
from sqlalchemy.ext.asyncio import create_async_engine


def make():
    return create_async_engine("sqlite:///x.db")


def available():
    try:
        return bool(make())
    except Exception:
        return False
""",
        """
def test_it():
    assert main.available() is False
""",
        ("unsafe",),
        "it fails today, and a surrounding `except` hides that",
        "pooling",
    ),
    "an event of an engine that fails, which is caught above": Program(
        "pool-event-target",
        """\
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")


def listen():
    event.listen(engine, "connect", print)


def listens():
    try:
        listen()
    except Exception:
        return False
    return True
""",
        """
def test_it():
    assert main.listens() is False
""",
        ("unsafe",),
        "it fails today, and a surrounding `except` hides that",
        "pooling",
    ),
    "a mock that sees the options of a statement": Program(
        "eager-load",
        LOADS,
        """
from types import SimpleNamespace

def test_it():
    db = MagicMock()
    db.scalars.return_value = [SimpleNamespace(name="a", orders=[SimpleNamespace(total=3)])]
    assert main.report(db) == {"a": 3}
    (statement,), _ = db.scalars.call_args
    assert not statement._with_options
""",
        ("unsafe",),
        "test_main.py mocks the session, and the mock gets the changed statement",
    ),
    "nothing": Program(
        "dangling-task",
        TASKS,
        """
def test_it():
    assert asyncio.run(main.start()) == 1
""",
        ("safe", "safe"),
        family="asyncio",
    ),
}
IMPORTS = """\
import asyncio
from unittest.mock import MagicMock, Mock, patch

import pytest

import main

"""


def case_of(program, *, unsafe):
    files = {"main.py": program.main, "test_main.py": IMPORTS + dedent(program.test)}
    texts = {path: text.encode() for path, text in files.items()}
    targets = {"python": "3.11", "sqlalchemy": ">=2.0"}
    return Case(
        name="it",
        family=program.family,
        rule=program.rule,
        directory=Path(),
        settings=replace(Settings(published=False, targets=targets), unsafe=unsafe),
        before=texts,
        after=texts,
        program={},
    )


def suite_passes(files, folder):
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_bytes(text)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-c", os.devnull, "--rootdir", "."]
    plugins = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
    run = subprocess.run([*command, *plugins, "."], cwd=folder, capture_output=True, check=False)
    assert run.returncode in {0, 1}, run.stdout.decode()
    return run.returncode == 0


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.slow
def test_level_says_what_a_suite_sees(program, tmp_path):
    safe = run_case(case_of(program, unsafe=False))
    unsafe = run_case(case_of(program, unsafe=True))
    sites = [one for one in safe.report.findings if one.place.path == "main.py"]

    assert safe.report.diagnostics == unsafe.report.diagnostics == ()
    assert tuple(str(one.level) for one in sites) == program.levels
    assert [program.caveat in one.message for one in sites if str(one.level) == "unsafe"] == [
        True
    ] * program.levels.count("unsafe")
    sides = {"before": case_of(program, unsafe=False).before, "safe": safe.files}
    if "unsafe" in program.levels:
        sides["unsafe"] = unsafe.files
    passing = {side: suite_passes(files, tmp_path / side) for side, files in sides.items()}
    assert passing == {side: side != "unsafe" for side in sides}

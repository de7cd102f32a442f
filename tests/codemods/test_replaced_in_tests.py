"""What tests put in the place of sessions and engines: their suites are run before and after."""

from __future__ import annotations

import pytest
from programs_with_suites import FAKE_SESSION, REPLACED, Program, check_levels

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
GETS = """

def total(db: Session, key):
    return sum(order.total for order in db.get(User, key).orders)
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
        ("manual", "safe"),
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
    "a mock of SQLModel's `exec()` that sees the options of a statement": Program(
        "eager-load",
        LOADS.replace("ForeignKey, select", "ForeignKey")
        .replace("Mapped, Session, ", "Mapped, ")
        .replace("\n\n\n", "\nfrom sqlmodel import Session, select\n\n\n", 1)
        .replace("db.scalars(", "db.exec("),
        """
from types import SimpleNamespace

def test_it():
    db = MagicMock()
    db.exec.return_value = [SimpleNamespace(name="a", orders=[SimpleNamespace(total=3)])]
    assert main.report(db) == {"a": 3}
    (statement,), _ = db.exec.call_args
    assert not statement._with_options
""",
        ("unsafe",),
        "test_main.py mocks the session, and the mock gets the changed statement",
    ),
    "a mock of the `get()` that becomes a `select()`": Program(
        "lazy-raise",
        LOADS + GETS,
        """
def test_it():
    db = MagicMock()
    db.get.return_value = main.User(orders=[main.Order(total=3)])
    assert main.total(db, 1) == 3
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


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.slow
def test_level_says_what_a_suite_sees(program, tmp_path):
    check_levels(program, tmp_path)

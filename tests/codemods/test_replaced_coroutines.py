"""What tests put in the place of coroutines, tasks, threads and texts of SQL."""

from __future__ import annotations

import pytest
from programs_with_suites import REPLACED, Program, check_levels

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
PROGRAMS = {
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
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.slow
def test_level_says_what_a_suite_sees(program, tmp_path):
    check_levels(program, tmp_path)

"""Names and classes that a program has of its own, and places that are rarely awaited in."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

HEAD = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

engine = create_engine("sqlite:///notes.db")
"""
MAIN = """\


def main():
    with LocalSession() as db:
        db.execute(text("x"))
        db.commit()


if __name__ == "__main__":
    main()
"""
OWN = """\


class Audited(Session):
    def commit(self):
        print("commit")
        super().commit()


"""


def _made(text, **others):
    result = rewritten(notes=text, **others)
    return result.files["notes.py"].decode(), [
        reason_of(one) for one in result.report.findings if one.reason
    ]


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        ('db.scalar(text("x"))', 'await db.scalar(text("x"))'),
        ('(found := db.scalar(text("x")))', '(found := await db.scalar(text("x")))'),
        ('db.execute(text("x")).scalar() > 1', '(await db.execute(text("x"))).scalar() > 1'),
        ('not db.scalar(text("x"))', 'not await db.scalar(text("x"))'),
    ],
)
def test_the_guard_of_a_case_awaits(guard, expected):
    text = f"""{HEAD}LocalSession = sessionmaker(engine)


def named(key):
    with LocalSession() as db:
        match db.scalar(text("y")):
            case [first] if key: return 1
            case None if {guard}:
                return db.scalar(text("z"))
            case _ if key:
                return 2
"""
    written, reasons = _made(text)

    assert '        match await db.scalar(text("y")):\n' in written
    assert f"            case None if {expected}:\n" in written
    assert '                return await db.scalar(text("z"))\n' in written
    assert reasons == []


@pytest.mark.parametrize(
    "made",
    [
        "LocalSession = sessionmaker(engine, class_=Audited)",
        "LocalSession = sessionmaker(engine, Audited)",
        "LocalSession = scoped_session(sessionmaker(bind=engine, class_=Audited))",
        "LocalSession = sessionmaker(engine)\nLocalSession.configure(class_=Audited)",
        "def LocalSession():\n    return Audited(engine)",
    ],
)
def test_sessions_of_a_class_of_the_program_are_refused(made):
    text = f"{HEAD}{OWN}{made}\n{MAIN}"
    written, reasons = _made(text)

    assert written == text
    assert "own-session-class" in reasons


def test_sessions_of_the_class_that_they_have_anyway_become_asynchronous():
    written, reasons = _made(f"{HEAD}LocalSession = sessionmaker(engine, class_=Session)\n{MAIN}")

    assert "async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)" in written
    assert reasons == []


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ('asyncio = "mine"', ""),
        ("import json as asyncio", ""),
        ("from names import asyncio", 'asyncio = "mine"\n'),
        ("from names import *", 'asyncio = "mine"\n'),
        ("def asyncio(): ...", ""),
    ],
)
def test_what_is_called_asyncio_is_refused(line, other):
    text = f"{HEAD}{line}\nLocalSession = sessionmaker(engine)\n{MAIN}"
    written, reasons = _made(text, names=other)

    assert written == text
    assert "name-taken" in reasons


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("import asyncio", ""),
        ("import asyncio.subprocess", ""),
        ("from names import *", "import asyncio\n"),
        ("from names import *", 'other = "mine"\n'),
        ("def other(asyncio): ...", ""),
    ],
)
def test_the_module_itself_is_no_other_name(line, other):
    text = f"{HEAD}{line}\nLocalSession = sessionmaker(engine)\n{MAIN}"
    written, reasons = _made(text, names=other)

    assert "    asyncio.run(closing_connections(main()))\n" in written
    assert reasons == []


@pytest.mark.parametrize("name", ["AsyncSession", "async_sessionmaker", "create_async_engine"])
def test_another_thing_with_the_name_of_a_twin_is_refused(name):
    work = f"{name} = 1\n\n\ndef work(db: Session):\n    db.commit()\n\n\ndef main():"
    main = MAIN.replace("def main():", work).replace("db.commit()\n\n\nif", "work(db)\n\n\nif")
    text = f"{HEAD}LocalSession = sessionmaker(engine)\n{main}"
    written, reasons = _made(text)

    assert written == text
    assert "name-taken" in reasons


COUNT = """\


def count(db: Session) -> int:
    return db.scalar(text("select 1"))


def main():
    with LocalSession() as db:
        print(count(db))


if __name__ == "__main__":
    main()
"""
ONLY_TYPED = (
    "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from {} import AsyncSession\n"
)


@pytest.mark.parametrize(
    ("lines", "is_written"),
    [
        ("import sqlite3 as AsyncSession\n", False),
        ("from sqlalchemy.orm import Session as AsyncSession\n", False),
        (
            "from typing import TypeVar\n\nAsyncSession = TypeVar('AsyncSession', bound=Session)\n",
            False,
        ),
        (ONLY_TYPED.format("elsewhere"), False),
        (f"{ONLY_TYPED.format('sqlalchemy.ext.asyncio')}else:\n    AsyncSession = object\n", False),
        ("try:\n    import elsewhere\nexcept ImportError as AsyncSession:\n    pass\n", False),
        ("def put():\n    global AsyncSession\n    AsyncSession = 1\n", False),
        ("match 1:\n    case AsyncSession:\n        pass\n", False),
        ("AsyncSession = 1\ndel AsyncSession\n", False),
        (ONLY_TYPED.format("sqlalchemy.ext.asyncio"), True),
        ("import sqlalchemy.ext.asyncio as AsyncSession\n", True),
        ("class Kinds:\n    AsyncSession = 1\n", True),
        ("def put():\n    class AsyncSession:\n        pass\n\n    return AsyncSession\n", True),
        ("found = [AsyncSession for AsyncSession in range(2)]\n", True),
        ("def put(AsyncSession=None):\n    return AsyncSession\n", True),
        ("from sqlalchemy.ext.asyncio import AsyncSession\n\nkind = AsyncSession\n", True),
    ],
)
def test_a_name_that_the_file_uses_is_no_reason_to_roll_back(lines, is_written, capsys):
    text = f"{HEAD}{lines}LocalSession = sessionmaker(engine)\n{COUNT}"
    result = rewritten(notes=text)
    after = result.files["notes.py"].decode()
    reasons = {one.reason or "" for one in result.report.findings}

    assert not {one for one in reasons if one.startswith("engine/")}
    assert (after != text) is is_written
    assert ("name-taken" in {one.partition("/")[2] for one in reasons}) is not is_written
    for code in (text, after):
        exec(
            compile(code.replace("notes.db", ":memory:"), "notes.py", "exec"),
            {"__name__": "__main__"},
        )
    assert capsys.readouterr().out == "1\n1\n"

"""The proof of session-to-async, and what it says of each function."""

from __future__ import annotations

import re

import pytest
from planned import program_of, reason_of, rewritten, session_to_async

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.contract import Change, ChangeId, Level, SiteId, Span, TextEdit
from awaken.project import Snapshot

NOTHING = Before(Snapshot({}))
AFTER = {
    "database.py": """\
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")
LocalSession = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    async with LocalSession() as db, db.begin():
        yield db
""",
    "repository.py": """\
from collections.abc import AsyncIterator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


class Names:
    def __init__(self, db: AsyncSession) -> None:
        self.db = db

    async def count(self) -> int:
        return await self.db.scalar(text("select count(*) from names"))

    async def save(self) -> None:
        await self.db.commit()

    async def all(self) -> AsyncIterator[str]:
        for name in await self.db.scalars(text("select name from names")):
            yield name
""",
    "service.py": """\
from database import transaction
from repository import Names


async def twice() -> int:
    async with transaction() as db:
        return await Names(db).count() * 2


async def listed() -> list[str]:
    async with transaction() as db:
        found = [name async for name in Names(db).all()]
        if await Names(db).count() > len(found):
            await Names(db).save()
        for_each = {name: await Names(db).count() for name in found}
        return [*for_each]
""",
}
_CALLS = re.compile(r"await (?=Names|self)")


def _changed(files: dict[str, str]) -> list[Change]:
    edits = tuple(
        TextEdit(path=path, anchor=Span(0, 0), text="", site=SiteId("s")) for path in files
    )
    return [
        Change(
            id=ChangeId("all"),
            rule="session-to-async",
            title="",
            level=Level.UNSAFE,
            sites=(),
            edits=edits,
        )
    ]


def _mutants() -> list[tuple[str, str]]:
    """Return each file without one ``await`` of a coroutine function of the program."""
    return [
        (path, text[: found.start()] + text[found.end() :])
        for path, text in AFTER.items()
        for found in _CALLS.finditer(text)
    ]


def test_what_is_awaited_everywhere_is_proved():
    assert list(problems(NOTHING, program_of(AFTER), _changed(AFTER))) == []


@pytest.mark.parametrize(("path", "text"), _mutants())
def test_an_await_that_is_missing_is_a_problem(path, text):
    files = AFTER | {path: text}

    assert list(problems(NOTHING, program_of(files), _changed(files)))


def test_a_synchronous_session_that_is_awaited_is_a_problem():
    synchronous = (
        "from sqlalchemy.orm import Session\n\n\n"
        "async def save(db: Session):\n    await db.commit()\n\n\n"
        "def stays(db: Session):\n    db.commit()\n"
    )
    files = AFTER | {"left.py": synchronous}

    assert [one.place.path for one in problems(NOTHING, program_of(files), _changed(files))] == [
        "left.py"
    ]


def test_each_function_says_why_it_waits_and_shows_the_way():
    files = {
        "app.py": (
            "from sqlalchemy import create_engine\n"
            "from sqlalchemy.orm import Session\n\n\n"
            "def save(db: Session):\n    db.commit()\n\n\n"
            "def store(db: Session):\n    save(db)\n\n\n"
            "def run():\n    store(Session(create_engine('sqlite://')))\n"
        )
    }
    plan = session_to_async(files)

    said = {one.place.span.start: one for one in plan.findings if "becomes a cor" in one.message}
    store = said[files["app.py"].index("def store")]
    assert store.message.startswith("`store` becomes a coroutine function: it needs `save`")
    shown = [files["app.py"][one.span.start : one.span.end] for one in store.related]
    assert shown == ["save(db)", "db.commit()"]


_REPOSITORY = """\
from sqlalchemy.orm import Session


class Settings:
    def get(self, db: Session):
        return db.scalar("select 1")


class Users:
    def get(self, db: Session, key=None):
        return db.get(object, key)
"""


_ROUTED = "from web import route\n\n\n@route\n"


def _unknown_calls(files: dict[str, str]) -> list[str]:
    """Return the calls of which it is not known what they call, as they are written."""
    plan = session_to_async(files)
    return [
        files[one.place.path][one.place.span.start : one.place.span.end]
        for one in plan.findings
        if one.reason == "session-to-async/unknown-call"
    ]


@pytest.mark.parametrize(
    "call",
    [
        "payload.get('scope')",
        "payload.get('scope', {})",
        "payload.get(f'{key}')",
        "payload.get(key)",
        "payload.get(1).get(2)",
        "payload.get((key, 1))",
    ],
)
def test_a_text_in_place_of_a_session_calls_something_else(call):
    files = {
        "users.py": _REPOSITORY,
        "app.py": f"{_ROUTED}def read(payload, key: str):\n    return {call}\n",
    }

    assert _unknown_calls(files) == []


@pytest.mark.parametrize(
    "call", ["payload.get(key)", "payload.get(None)", "payload.get(key=key, db=key)"]
)
def test_what_may_be_a_session_may_call_what_takes_one(call):
    read = f"def read(payload, key):\n    return {call}\n"

    assert _unknown_calls({"users.py": _REPOSITORY, "app.py": _ROUTED + read}) == [call]
    # Nobody passes it anything.
    assert _unknown_calls({"users.py": _REPOSITORY, "app.py": read}) == []


def test_the_claims_of_a_token_are_a_dictionary():
    app = (
        "import jwt\n\n\ndef read(token, key):\n"
        '    return jwt.decode(token, "secret", algorithms=["HS256"]).get(key)\n'
    )
    assert _unknown_calls({"users.py": _REPOSITORY, "app.py": app}) == []


@pytest.mark.parametrize(
    ("others", "calls"),
    [
        ({}, []),
        ({"other.py": "import app\n\napp.users = object()\n"}, ["users.get(key)"]),
        ({"other.py": "import app\n\napp.users=object()\n"}, ["users.get(key)"]),
        ({"other.py": "import app\n\napp.users: object = object()\n"}, ["users.get(key)"]),
        (
            {"test_app.py": 'def test_read(mocker):\n    mocker.patch("app.users")\n'},
            ["users.get(key)"],
        ),
        (
            {"app.py": "from elsewhere import *\n\n\ndef read(key):\n    return users.get(key)\n"},
            ["users.get(key)"],
        ),
    ],
)
def test_nothing_is_called_on_a_name_that_nothing_defines(others, calls):
    app = "def read(key):\n    return users.get(key)\n"
    assert _unknown_calls({"users.py": _REPOSITORY, "app.py": app, **others}) == calls


@pytest.mark.parametrize(
    ("others", "calls"),
    [
        ({}, []),
        ({"other.py": "import setup\n\nsetup.users = object()\n"}, ["users.get(key)"]),
        ({"other.py": 'import setup\n\nsetattr(setup, "us" + "ers", 1)\n'}, ["users.get(key)"]),
        ({"setup.py": 'globals().update({"us" + "ers": 1})\n'}, ["users.get(key)"]),
        ({"setup.py": "def __getattr__(name): ...\n"}, ["users.get(key)"]),
        ({"setup.py": "from elsewhere import *\n"}, ["users.get(key)"]),
        (
            {"app.py": f"from setup import *\n{_ROUTED}def f(users, key):\n    users.get(key)\n"},
            ["users.get(key)"],
        ),
        ({"conftest.py": 'import sys\n\nsys.modules["setup"] = object()\n'}, ["users.get(key)"]),
        # The module may be generated.
        ({"setup.py": None, "setup/__init__.py": ""}, ["users.get(key)"]),
        ({"app.py": "def read(key):\n    from setup import users\n\n    users.get(key)\n"}, []),
    ],
)
def test_nothing_is_called_in_a_file_whose_import_fails(others, calls):
    app = "from setup import users\n\n\ndef read(key):\n    return users.get(key)\n"
    files = {"setup.py": "size = 1\n", "app.py": app}
    given = {path: text for path, text in {**files, **others}.items() if text is not None}
    assert _unknown_calls({"users.py": _REPOSITORY, **given}) == calls


def test_a_test_may_pass_a_text_to_what_hands_it_on():
    service = (
        "from sqlalchemy.orm import Session\nfrom users import Users\n\n\n"
        "class Service:\n"
        "    def load(self, db: Session):\n        return Users().get(db)\n"
    )
    test = "def test_load(service):\n    assert service.load('db')\n"
    files = {"users.py": _REPOSITORY, "services.py": service, "test_services.py": test}

    assert _unknown_calls(files) == ["service.load('db')"]
    assert _unknown_calls(files | {"app.py": "def load(one):\n    one.load('db')\n"}) == [
        "service.load('db')"
    ]
    assert (
        _unknown_calls(files | {"test_services.py": test.replace("load('db')", "get('db')")}) == []
    )


def test_annotations_alone_make_nothing_asynchronous():
    files = {
        "app.py": (
            "from sqlalchemy import create_engine\n"
            "from sqlalchemy.orm import Session\n\n\n"
            "def run():\n    Session(create_engine('sqlite://')).commit()\n"
        ),
        "other.py": (
            "from sqlalchemy.orm import Session\n\n\ndef stays(db: Session):\n    db.add(1)\n"
        ),
    }
    plan = session_to_async(files)

    levels = {one.place.path: one.level for one in plan.findings}
    assert levels == {"app.py": Level.UNSAFE, "other.py": Level.MANUAL}


def test_a_driver_that_only_some_databases_have_is_asked_for():
    texts = {
        "shop.py": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

shop = create_engine("sqlite:///shop.db")
archive = create_engine("mysql+pymysql://localhost/archive")


def tidy() -> None:
    with Session(shop) as db:
        db.commit()
    with Session(archive) as db:
        db.commit()
"""
    }
    plan = session_to_async(texts)

    assert not plan.changes
    assert "choose-driver" in {reason_of(one) for one in plan.findings}


def test_a_driver_that_does_not_exist_is_refused_with_those_that_do():
    options = SessionToAsync.options(drivers={"mysql": "psycopg4"})
    ((path, why),) = SessionToAsync().wrong_options(None, options)

    assert path == ("drivers", "mysql")
    assert why.endswith("no asynchronous driver of mysql; choose from aiomysql, asyncmy")


def test_what_libraries_give_that_know_no_session_is_none():
    texts = {
        "hooks.py": """\
import google.auth
from google.oauth2 import service_account
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///shop.db")


def token(file: str) -> str:
    if file:
        credentials = service_account.Credentials.from_service_account_file(file)
    else:
        credentials, _ = google.auth.default()
    credentials.refresh(object())
    return credentials.token


def tidy() -> None:
    with Session(engine) as db:
        db.commit()
"""
    }
    plan = session_to_async(texts)

    assert plan.changes
    assert "unknown-session" not in {reason_of(one) for one in plan.findings}


@pytest.mark.parametrize("distribution", ["psycopg", "psycopg-binary", "psycopg-c"])
def test_a_driver_that_the_program_requires_is_taken_by_each_of_its_distributions(distribution):
    text = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("postgresql+psycopg2://localhost/shop")


def tidy() -> None:
    with Session(engine) as db:
        db.commit()


if __name__ == "__main__":
    tidy()
"""
    targets = {"sqlalchemy": ">=2.0", distribution: ">=3.1"}
    result = rewritten(shop=text, targets=targets)

    assert b'"postgresql+psycopg://localhost/shop"' in result.files["shop.py"]

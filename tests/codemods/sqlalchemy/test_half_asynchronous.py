"""Programs that are asynchronous in part already: session-to-async goes on with them."""

from __future__ import annotations

import pytest
from planned import program_of

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.contract import Constraints, Level
from awaken.engine.planning.in_memory import apply_in_memory

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///x.db")
new_session = sessionmaker(engine)
"""
USER = """\
from database import new_session


def {name}():
    with new_session() as db:
        db.commit()
"""


def run(texts, *, published=False, excluded=frozenset(), **options):
    """Return the plan for a program, and its texts after that."""
    program, rule = program_of(texts, published=published), SessionToAsync()
    plan = rule.plan(program, Constraints(excluded=excluded, options=rule.options(**options)))
    made = apply_in_memory(program.snapshot, plan.changes, {rule.name: rule.rewriters()})
    assert made.problems == ()
    levels = {one.level for one in plan.findings}
    assert Level.SAFE not in levels
    return plan, {path: made.snapshot[path].text.decode() for path in texts}


def test_parts_that_follow_one_another_share_what_the_first_put_beside():
    texts = {f"{name}.py": USER.format(name=name) for name in ("orders", "users")}
    texts["database.py"] = DATABASE

    _, first = run(texts, component="orders")
    assert "from database import async_new_session\n" in first["orders.py"]
    assert first["users.py"] == texts["users.py"]
    assert "\nengine = create_engine(" in first["database.py"]
    plan, second = run(first, component="users")
    assert "from database import async_new_session\n" in second["users.py"]
    assert second["database.py"] == (
        "from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine\n\n"
        'async_engine = create_async_engine("sqlite+aiosqlite:///x.db")\n'
        "async_new_session = async_sessionmaker(async_engine, expire_on_commit=False)\n"
    )
    *others, last = plan.changes
    assert last.requires == tuple(one.id for one in others)
    again, third = run(second)
    assert (again.findings, third) == ((), second)


ASYNC_SIDE = """\
other = create_async_engine("sqlite+aiosqlite:///x.db")
new_async_session = async_sessionmaker(other, expire_on_commit=False)
"""


def test_the_synchronous_side_goes_where_it_was_left_over():
    plan, after = run({"database.py": DATABASE + ASYNC_SIDE})
    assert "create_engine(" not in after["database.py"]
    assert "sessionmaker(engine)" not in after["database.py"]
    assert {one.level for one in plan.findings} == {Level.UNSAFE}
    assert run({"database.py": DATABASE + ASYNC_SIDE}, published=True)[0].changes == ()


@pytest.mark.parametrize(
    "other",
    [
        {"api.py": "from database import new_session\n"},
        {"app/__init__.py": "from database import new_session\n"},
        {"api.py": "from database import *\n"},
        {"api.py": "def f():\n    from database import new_session\n    return new_session\n"},
        {"api.py": "import database\n\nsomething(database.new_session)\n"},
        {"api.py": "import database\n\ngetattr(database, 'new_session')\n"},
        {"database.py": f"{DATABASE}{ASYNC_SIDE}__all__ = ['new_session']\n"},
        # An engine on which something else is built.
        {"database.py": f"{DATABASE}{ASYNC_SIDE}more = sessionmaker(engine, autoflush=False)\n"},
    ],
)
def test_what_others_take_stays(other):
    texts = {"database.py": DATABASE + ASYNC_SIDE, **other}
    _, after = run(texts)
    assert 'engine = create_engine("sqlite:///x.db")' in after["database.py"]


def test_one_that_is_made_otherwise_is_another():
    texts = {
        "database.py": DATABASE + ASYNC_SIDE.replace(", expire_on_commit=False", ""),
        "users.py": USER.format(name="users"),
    }
    _, after = run(texts)
    assert after["users.py"].startswith("from database import new_session\n")
    assert "new_session = async_sessionmaker(other, expire_on_commit=False)" in after["database.py"]


def test_one_that_is_made_below_a_use_is_another():
    used = "\n\ndef users(db=new_session()):\n    db.commit()\n\n\n"
    _, after = run({"database.py": f"{DATABASE}{used}{ASYNC_SIDE}"})
    assert "(db=new_session())" in after["database.py"]


TAKEN = """\
import os

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

URL = os.environ.get("DATABASE_URL", "sqlite:///x.db")
async_url = make_url = None

engine = create_engine(URL)
new_session = sessionmaker(engine)
"""


def test_names_that_the_file_has_are_left_to_it():
    texts = {"database.py": TAKEN, "users.py": USER.format(name="users")}
    _, after = run(texts)
    assert "def async_url_2(url: str | SQLAlchemyURL) -> SQLAlchemyURL:" in after["database.py"]
    assert "parsed = sqlalchemy_make_url(url)" in after["database.py"]
    assert "engine = create_async_engine(async_url_2(URL))" in after["database.py"]
    assert "async_url = make_url = None" in after["database.py"]


GREENLET = """\
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from database import new_session


def both(db: Session, number: int = 0) -> None:
    db.commit()


def plain() -> None:
    with new_session() as db:
        both(db)


async def waits(db: AsyncSession) -> None:
    await db.run_sync(both)
    await db.run_sync(
        both,
        number=1,
    )
"""


def test_what_a_session_ran_in_a_greenlet_is_given_the_session():
    _, after = run({"database.py": DATABASE, "shop.py": GREENLET})
    assert "async def both(db: AsyncSession, number: int = 0) -> None:" in after["shop.py"]
    assert "    await both(db)\n    await both(\n        db, number=1,\n    )\n" in after["shop.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await db.run_sync(both)", "result = db.run_sync(both)\n    await result"),
        ("db: AsyncSession", "db"),
        ("await db.run_sync(both)", "await make(db).run_sync(both)"),
    ],
)
def test_what_may_run_in_a_greenlet_otherwise_is_refused(before, after):
    plan, _ = run({"database.py": DATABASE, "shop.py": GREENLET.replace(before, after)})
    assert plan.changes == ()


def test_a_url_whose_driver_is_not_known_is_refused_beside_one_that_is():
    texts = {
        "database.py": DATABASE.replace("sqlite:///x.db", "postgresql+psycopg2://h/x"),
        "users.py": USER.format(name="users"),
        "tests/test_it.py": DATABASE.replace("new_session =", "new ="),
    }
    plan, _ = run(texts)
    assert "postgresql+psycopg2" in next(
        one.message for one in plan.findings if (one.reason or "").endswith("choose-driver")
    )


SETTINGS = """\
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    url: str = "postgresql+psycopg2://localhost/shop"


settings = Settings()
"""
ENVIRONMENT = """\
from alembic import context
from sqlalchemy import create_engine

from settings import settings

context.config.set_main_option("sqlalchemy.url", settings.url)


def run_migrations_online():
    with create_engine(settings.url).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""


def test_alembic_keeps_the_synchronous_url_of_the_settings():
    texts = {
        "settings.py": SETTINGS,
        "database.py": DATABASE.replace(
            'create_engine("sqlite:///x.db")', "create_engine(settings.url)"
        ).replace("\n\nengine", "\n\nfrom settings import settings\n\nengine"),
        "migrations/env.py": ENVIRONMENT,
        "users.py": USER.format(name="users"),
    }
    _, after = run(texts, drivers={"postgresql": "psycopg"})
    assert "engine = create_async_engine(async_url(settings.url))" in after["database.py"]
    assert '{"postgresql": "postgresql+psycopg"}' in after["database.py"]
    kept = ("settings.py", "migrations/env.py")
    assert [after[path] for path in kept] == [texts[path] for path in kept]

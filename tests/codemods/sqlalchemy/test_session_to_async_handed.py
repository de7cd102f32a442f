"""Calls that are given a session or a connection, and stay synchronous: `run_sync` makes them."""

from __future__ import annotations

import pytest
from planned import printed, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

LocalSession = sessionmaker(create_engine("sqlite://"))
"""
REVISION = """\
revision = "1"
down_revision = None


def fill(connection, name=""):
    connection.execute(name)
"""
USING = """\
import importlib

import sqlalchemy as sa
from sqlalchemy import inspect
from sqlalchemy.orm import Session

import first_revision
import helpers
from database import LocalSession


def used(db: Session, name: str):
    loaded = importlib.import_module(name)
    inspector = inspect(db.get_bind())
    connection = db.connection()
    {0}


def began():
    with LocalSession() as db:
        return used(db, "one")
"""
HELPERS = """\
from sqlalchemy import Connection, text


def filled(connection: Connection):
    connection.execute(text("select 1"))


def shown(connection: Connection):
    return connection.dialect.name
"""


@pytest.mark.parametrize(
    ("call", "after"),
    [
        # Nobody knows what is loaded by a name that is not known.
        (
            "loaded.fill(db.connection(), name)",
            "await db.run_sync(lambda session: loaded.fill(session.connection(), name))",
        ),
        (
            "loaded.fill(connection=db.get_bind())",
            "await db.run_sync(lambda session: loaded.fill(connection=session.get_bind()))",
        ),
        (
            "first_revision.fill(db.connection())",
            "await db.run_sync(lambda session: first_revision.fill(session.connection()))",
        ),
        (
            "first_revision.fill(connection)",
            "await connection.run_sync(lambda connection: first_revision.fill(connection))",
        ),
        # What becomes asynchronous gets the asynchronous one.
        ("helpers.filled(connection)", "await helpers.filled(connection)"),
        ("helpers.shown(connection)", "helpers.shown(connection)"),
        (
            "names = inspector.get_table_names()",
            "names = await db.run_sync(lambda session: inspector.get_table_names())",
        ),
        (
            "return [one for one in inspector.get_columns(name)]",
            "for one in await db.run_sync(lambda session: inspector.get_columns(name))",
        ),
        (
            "return sa.inspect(connection).has_table(name)",
            "await connection.run_sync(lambda connection: sa.inspect(connection).has_table(name))",
        ),
    ],
)
def test_run_sync_calls_what_stays_synchronous(call, after):
    result = rewritten(
        database=DATABASE,
        first_revision=REVISION,
        helpers=HELPERS,
        using=USING.format(call),
    )
    text = result.files["using.py"].decode()

    assert "inspector = await db.run_sync(lambda session: inspect(session.get_bind()))" in text
    assert "".join(after.split()) in "".join(text.split())


def test_objects_are_inspected_as_before():
    text = """\
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from database import LocalSession


def looked_at(row) -> bool:
    with LocalSession() as db:
        return inspect(row).expired and db.scalar(select(1)) == 1
"""
    result = rewritten(database=DATABASE, looking=text)

    assert "return inspect(row).expired" in result.files["looking.py"].decode()


INSPECTED = """\
import sqlalchemy as sa
from sqlalchemy import Engine, create_engine, inspect, text

engine = create_engine("sqlite://")


def own() -> Engine:
    return engine


def names(engine: Engine):
    held = inspect(own())
    for table in ("shelves", "books"):
        if sa.inspect(engine).has_table(table):
            print(table, sorted({one["name"] for one in inspect(engine).get_columns(table)}))
    assert set(held.get_table_names()) == {"shelves"}
    return inspect(engine).get_table_names(), inspect(engine).dialect.name


def main():
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE shelves (id INTEGER, width INTEGER)"))
    print(names(engine), inspect(own()).default_schema_name)


if __name__ == "__main__":
    main()
"""


def test_databases_of_engines_are_inspected_where_that_may_wait(tmp_path, capsys, monkeypatch):
    before = {"looking.py": INSPECTED.encode()}
    result = rewritten(looking=INSPECTED)
    assert not [one for one in result.findings if one.reason]
    assert b"greenlet_spawn(lambda: inspect(engine.sync_engine)" in result.files["looking.py"]
    out = [
        printed("looking.py", files, tmp_path / side, capsys, monkeypatch)
        for side, files in (("before", before), ("after", {**before, **result.files}))
    ]
    assert out[0] == out[1]
    assert "shelves ['id', 'width']" in out[0]


def test_an_engine_is_not_inspected_where_nothing_may_wait():
    looking = """\
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///shop.db")


class Shop:
    def __len__(self):
        return len(inspect(engine).get_table_names())


def one():
    with Session(engine) as db:
        return db.scalar(text("SELECT 1"))
"""
    result = rewritten(looking=looking)
    assert "session-to-async/sync-protocol" in {one.reason for one in result.findings}
    assert b".sync_engine" not in result.files["looking.py"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("hook(db, name)", "`hook` is given an asynchronous session"),
        ("hook(name, session=db)", "`hook` is given an asynchronous session"),
        ("hook.run(db)", "`hook.run` is given an asynchronous session"),
        ("PLUGINS[name](db)", "`PLUGINS[name]` is given an asynchronous session"),
        ("hook(db), hook.run(db)", "`hook` and `hook.run` are given an asynchronous session"),
        # No session is given, what is called is known, or run_sync calls it.
        ("hook(name)", ""),
        ("counted(db)", ""),
        ("named(db)", ""),
        ("outside.fill(db)", ""),
    ],
)
def test_what_is_not_known_is_said_to_be_given_a_session(call, said):
    text = f"""\
import outside
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import LocalSession

PLUGINS = outside.plugins()


def counted(db: Session):
    return db.scalar(select(1))


def named(db: Session):
    return "db"


def used(name, hook):
    with LocalSession() as db:
        db.execute(select(1))
        {call}
"""
    plan = session_to_async({"database.py": DATABASE, "using.py": text})
    messages = [one.message for one in plan.findings if "`used`" in one.message]

    assert messages
    assert ["does not know what happens" in one for one in messages] == [bool(said)] * len(messages)
    assert all(said in one for one in messages)


COUNTING = """\
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)
app = FastAPI()
router = APIRouter(prefix="/shop")


def get_db():
    with LocalSession() as db:
        yield db


def count(db: Session = Depends(get_db)):
    return db.execute(text("select 1")).scalar()


"""


@pytest.mark.parametrize(
    "text",
    [
        'router.get("/count")(count)\n',
        'read_count = router.get("/count", response_model=int)(count)\n',
        'def add(to: APIRouter):\n    to.get("/count")(count)\n\n\nadd(router)\n',
        "app.exception_handler(404)(count)\n",
        'from starlette.routing import Router\n\nRouter().route("/count")(count)\n',
        """\
from collections.abc import Callable


def fill(works: list[Callable[[APIRouter], object]] | None = None):
    for work in works or []:
        work(router)


fill(works=[lambda to: to.get("/count")(count)])
""",
    ],
)
def test_what_is_registered_by_a_call_is_awaited(text):
    result = rewritten(shop=COUNTING + text)

    assert (
        "async def count(db: AsyncSession = Depends(get_db)):" in result.files["shop.py"].decode()
    )


def test_what_is_registered_by_a_call_and_called_by_its_other_name_is_awaited_there():
    text = 'read = router.get("/count")(count)\n\n\ndef twice(db: Session):\n    return read(db)\n'
    result = rewritten(shop=COUNTING + text)

    after = result.files["shop.py"].decode()
    assert "async def twice(db: AsyncSession):\n    return await read(db)" in after


def test_what_an_unknown_object_registers_stays():
    text = 'def add(to):\n    to.get("/count")(count)\n\n\nadd(object())\n'
    result = rewritten(shop=COUNTING + text)

    assert result.files["shop.py"].decode() == COUNTING + text


MIGRATIONS = """\
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

engine = create_engine("sqlite://")
KEPT = []


def configured(target: str, connection: Connection) -> Config:
    config = Config()
    config.attributes["connection"] = connection
    return config


class Migrations:
    def configured(self, connection: Connection) -> Config:
        config = Config()
        config.attributes["connection"] = connection
        return config


def passed(config: Config) -> None:
    upgrade(config)


def keep(config: Config) -> None:
    KEPT.append(config)


def upgrade(config: Config) -> None:
    command.upgrade(config, "head") if config else upgrade(config)


def migrate() -> None:
    with engine.begin() as connection:
        {0}
"""
KEPT_BY_ALEMBIC = {
    "a variable": (
        'config = configured("a", connection); command.upgrade(config, "head")',
        'await connection.run_sync(lambda connection: command.upgrade(config, "head"))',
    ),
    "a function that passes it on": (
        'config = configured(connection=connection, target="a"); passed(config)',
        "await connection.run_sync(lambda connection: passed(config))",
    ),
    "at once": ('command.upgrade(configured("a", connection), "head")', ""),
    "a method": ('config = Migrations().configured(connection); command.upgrade(config, "a")', ""),
    "a list": ('config = configured("a", connection); KEPT.append(config)', ""),
    "a function that keeps it": ('config = configured("a", connection); keep(config)', ""),
    "a lambda": ('config = configured("a", connection); KEPT.append(lambda: passed(config))', ""),
    "unpacked": ('config = configured(*["a", connection]); command.upgrade(config, "head")', ""),
    "an item of it": (
        'config = Config(); config.attributes["a"] = KEPT[0] or connection; passed(config)',
        "",
    ),
}


@pytest.mark.parametrize(("body", "after"), KEPT_BY_ALEMBIC.values(), ids=KEPT_BY_ALEMBIC)
@pytest.mark.sampled(8)
def test_calls_of_alembic_use_the_connection_of_their_configuration(body, after):
    # Each function has its own case: the others would stop it.
    text = MIGRATIONS.format(body.replace("; ", "\n        "))
    unused = "configured(self" if "Migrations()" not in body else "configured(target"
    parts = [part for part in text.split("\n\n\n") if unused not in part]
    files = rewritten(migrations="\n\n\n".join(parts)).files
    shown = " ".join(files.get("migrations.py", b"").decode().split())
    assert (after in shown and ".sync_connection" in shown) if after else "await" not in shown

"""Environments of Alembic that get their engine from a program which becomes asynchronous."""

from __future__ import annotations

import asyncio
import runpy
import sqlite3
import sys
from functools import cache
from textwrap import indent
from types import ModuleType

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session


class Base(DeclarativeBase):
    pass


def build_engine():
    return create_engine("sqlite:///shop.db")


def get_db():
    with Session(build_engine()) as db:
        yield db


class Shop:
    def __init__(self):
        self.engine = build_engine()


shop = Shop()
"""
API = """\
from database import get_db
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

app = FastAPI()


@app.get("/")
def one(db: Session = Depends(get_db)):
    return db.scalar(text("SELECT 1"))


def add(db: Session):
    db.execute(text("INSERT INTO shelf VALUES (1)"))
    db.commit()


@app.post("/")
def more(db: Session = Depends(get_db)):
    add(db)
"""
HEAD = """\
from alembic import context
from database import Base, build_engine, shop

"""
MIGRATED = "    context.configure(connection=connection)\n    context.run_migrations()\n"
LISTENER = """
from sqlalchemy import event


@event.listens_for(shop.engine, "connect")
def connected(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")
"""
BLOCK = f"with build_engine().connect() as connection:\n{MIGRATED}"
WRITTEN = {
    "of-a-function": """\
def run():
    asked = []
    connectable = build_engine()
    with connectable.connect() as connection:
        for _ in range(2):
            if asked:
                break
            asked.append(connection.dialect.name)
        context.configure(connection=connection, render_as_batch=asked)

        with context.begin_transaction():
            context.run_migrations()
    connectable.dispose()
    print(connectable.dialect.name)


run()
""",
    "of-a-file": BLOCK,
    "begun": f"engine = build_engine()\nwith engine.begin() as connection:\n{MIGRATED}",
    "of-an-object": f"with shop.engine.connect() as connection:\n{MIGRATED}",
    "of-a-branch": f"""\
if context:
{"".join(f"    {line}" for line in BLOCK.splitlines(keepends=True))}""",
}
LEFT = {
    "a-connection-of-others": """\
connectable = context.config.attributes.get("connection")
if connectable is None:
    connectable = build_engine()
with connectable.connect() as connection:
    context.configure(connection=connection)
    context.run_migrations()
""",
    "a-connection-that-is-kept": """\
connection = build_engine().connect()
context.configure(connection=connection)
context.run_migrations()
connection.close()
""",
    "what-it-returns": """\
def run():
    with build_engine().connect() as connection:
        context.configure(connection=connection)
        return context.run_migrations()


print(run())
""",
    "a-name-that-is-read-behind-it": f"{BLOCK}    done = True\nprint(done)\n",
    "a-connection-that-is-read-behind-it": f"{BLOCK}print(connection)\n",
    "its-driver": "print(build_engine().driver)\n",
    "closed-alone": """\
engine = build_engine()
try:
    with engine.connect() as connection:
        context.configure(connection=connection)
        context.run_migrations()
finally:
    engine.dispose()
""",
}
OF_URLS = f"""\
from sqlalchemy import create_engine

own = create_engine(shop.engine.url)
if shop.engine.name == "sqlite" and shop.engine.url.database == "shop.db":
    with own.connect() as connection:
{indent(MIGRATED, "    ")}"""
RUN = "from alembic import command\nfrom alembic.config import Config\n\n"
UPGRADE = f'{RUN}\ndef upgrade():\n    command.upgrade(Config("alembic.ini"), "head")\n'
IN_LOOPS = {
    "called-by-a-coroutine-function": f"{UPGRADE}\n\nasync def start():\n    upgrade()\n",
    "imported-by-a-server": f"{UPGRADE}\n\nupgrade()\n",
    "imported-by-a-server-itself": f"""\
from fastapi import FastAPI
{RUN}
app = FastAPI()
command.upgrade(Config("alembic.ini"), "head")
""",
    "called-by-nobody-in-sight": UPGRADE,
    "handed-on": f"{RUN}CALLED = [command.upgrade]\n",
    "at-the-start-of-an-application": f"""\
{UPGRADE}

def started(app):
    app.add_event_handler("startup", upgrade)
""",
    "of-what-becomes-a-coroutine-function": f"""\
{UPGRADE}

from api import add
from database import build_engine
from sqlalchemy.orm import Session


def fill():
    upgrade()
    with Session(build_engine()) as db:
        add(db)
""",
}
OUTSIDE_OF_LOOPS = {
    "under-main": f'{UPGRADE}\n\nif __name__ == "__main__":\n    upgrade()\n',
    "in-a-thread": f"""\
import asyncio

{UPGRADE}

async def start():
    await asyncio.to_thread(upgrade)
""",
    "itself-in-a-thread": f"""\
import asyncio

{RUN}
async def start():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, command.upgrade, Config("alembic.ini"), "head")
""",
}
FIXTURE = f"""\
import pytest

{RUN}
@pytest.fixture
def migrated():
    command.upgrade(Config("alembic.ini"), "head")
"""
REVISION = "from api import add\nfrom database import build_engine\n\ndown_revision = None\n\n\n"


@cache
def made(environment, **others):
    """Return what is made of a program with this environment."""
    texts = {"database": DATABASE, "api": API, "migrations/env": HEAD + environment}
    return rewritten(**texts, **others)


def reasons(result):
    """Return the reasons of a result but for those that name another one."""
    found = {(one.reason or "").partition("/")[2] for one in result.findings}
    return found - {"", "beside-another"}


def run(files, directory, monkeypatch):
    """Run the environment among files, by a stand-in for Alembic; return the tables it made."""
    alembic, used = ModuleType("alembic"), {}
    context = ModuleType("context")
    context.configure = lambda connection, **_: used.update(connection=connection)

    def begin_transaction():
        return used["connection"].begin()

    def run_migrations():
        used["connection"].exec_driver_sql("CREATE TABLE shelf (id INTEGER)")

    context.begin_transaction, context.run_migrations = begin_transaction, run_migrations
    alembic.context = context
    for name, module in (("alembic", alembic), ("database", None)):
        monkeypatch.setitem(sys.modules, name, module)
    del sys.modules["database"]
    for name in ("database.py", "migrations/env.py"):
        path = directory / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(files[name])
    monkeypatch.chdir(directory)
    monkeypatch.syspath_prepend(directory)
    runpy.run_path(str(directory / "migrations/env.py"))
    with sqlite3.connect("shop.db") as opened:
        return [name for (name,) in opened.execute("SELECT name FROM sqlite_master")]


@pytest.mark.parametrize("name", WRITTEN)
def test_an_environment_runs_the_same_migrations(name, tmp_path, monkeypatch):
    result = made(WRITTEN[name])
    assert not reasons(result)
    after = result.files
    assert b"create_async_engine" in after["database.py"]
    assert b"run_sync(do_run_migrations)" in after["migrations/env.py"]
    before = {
        "database.py": DATABASE.encode(),
        "migrations/env.py": (HEAD + WRITTEN[name]).encode(),
    }
    tables = [
        run(files, tmp_path / side, monkeypatch)
        for side, files in (("before", before), ("after", after))
    ]
    assert tables == [["shelf"], ["shelf"]]


REPORTS = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session


def report():
    with Session(create_engine("mssql://reports")) as db:
        return db.scalar(text("SELECT 1"))
"""


@pytest.mark.parametrize("others", [{}, {"reports": REPORTS}], ids=["alone", "two-databases"])
def test_an_environment_with_an_engine_of_its_own_gets_a_url_for_it(others, tmp_path, monkeypatch):
    result = made(OF_URLS, **others)
    assert not reasons(result)
    assert b"create_async_engine" in result.files["database.py"]
    assert run(result.files, tmp_path, monkeypatch) == ["shelf"]


@pytest.mark.parametrize("name", LEFT)
def test_an_environment_that_does_more_with_its_engine_refuses(name):
    result = made(LEFT[name])
    assert reasons(result) == {"in-migrations"}
    assert result.files["database.py"] == DATABASE.encode()


@pytest.mark.parametrize("name", IN_LOOPS)
def test_alembic_that_may_run_in_a_loop_gets_an_engine_of_its_own(name, tmp_path, monkeypatch):
    result = made(BLOCK, start=IN_LOOPS[name])
    assert not reasons(result)

    async def run_in_loop():
        return run(result.files, tmp_path, monkeypatch)

    assert asyncio.run(run_in_loop()) == ["shelf"]


@pytest.mark.parametrize(
    ("made_by", "below"),
    [
        ('create_engine("sqlite://")', ""),
        ('create_engine("sqlite:///shop.db", creator=print)', ""),
        ('create_engine("sqlite:///shop.db", connect_args={"timeout": 1})', ""),
        ('create_engine("sqlite:///shop.db", **{})', ""),
        ('create_engine("sqlite:///shop.db")', LISTENER),
    ],
    ids=["in-memory", "other-option", "other-argument", "more-options", "listened-to"],
)
def test_alembic_gets_no_engine_that_may_do_something_else(made_by, below):
    database = DATABASE.replace('create_engine("sqlite:///shop.db")', made_by) + below
    texts = {"database": database, "api": API, "migrations/env": HEAD + BLOCK}
    result = rewritten(**texts, start=IN_LOOPS["called-by-a-coroutine-function"])
    assert "in-migrations" in reasons(result)


def test_an_engine_with_options_of_its_pool_is_made_again_for_alembic(tmp_path, monkeypatch):
    threads = "{'check_same_thread': False} if create_engine else {}"
    options = f"echo=False, pool_pre_ping=True, connect_args={threads}"
    database = DATABASE.replace('shop.db"', f'shop.db", {options}')
    texts = {"database": database, "api": API, "migrations/env": HEAD + BLOCK}
    result = rewritten(**texts, start=IN_LOOPS["called-by-a-coroutine-function"])
    assert not reasons(result)
    assert run(result.files, tmp_path, monkeypatch) == ["shelf"]


@pytest.mark.parametrize("name", OUTSIDE_OF_LOOPS)
def test_alembic_that_runs_outside_of_loops_is_written(name):
    result = made(BLOCK, start=OUTSIDE_OF_LOOPS[name])
    assert not reasons(result)
    assert b"run_sync(do_run_migrations)" in result.files["migrations/env.py"]


def test_an_engine_that_is_shared_does_not_run_in_a_thread_beside_the_loop():
    environment = f"with shop.engine.connect() as connection:\n{MIGRATED}"
    result = made(environment, start=OUTSIDE_OF_LOOPS["in-a-thread"])
    assert not reasons(result)
    assert b"create_engine(sync_url(shop.engine.url)" in result.files["migrations/env.py"]


def test_a_fixture_runs_alembic_outside_of_loops():
    assert not reasons(made(BLOCK, **{"tests/conftest": FIXTURE}))


def test_a_test_that_becomes_a_coroutine_function_runs_it_with_an_engine_of_its_own():
    test = FIXTURE.partition("@")[0] + (
        "from api import add\nfrom database import build_engine\n"
        "from sqlalchemy.orm import Session\n\n\ndef test_it():\n"
        '    command.upgrade(Config("alembic.ini"), "head")\n'
        "    with Session(build_engine()) as db:\n        add(db)\n"
    )
    result = made(BLOCK, **{"tests/test_it": test})
    assert not reasons(result)
    assert b"NullPool" in result.files["migrations/env.py"]


@pytest.mark.parametrize(
    "body",
    [
        "    with build_engine().connect() as connection:\n        connection.commit()\n",
        "    add(op.get_bind())\n",
    ],
    ids=["an-engine", "a-function-that-waits"],
)
def test_a_revision_that_uses_what_becomes_asynchronous_refuses(body):
    revision = f"{REVISION}from alembic import op\n\n\ndef upgrade():\n{body}"
    result = made("context.run_migrations()\n", **{"migrations/versions/one": revision})
    assert "in-migrations" in reasons(result)
    assert result.files["database.py"] == DATABASE.encode()


@pytest.mark.parametrize(
    ("asked", "imported"),
    [
        ("op.get_context().config", "helpers"),
        # Where it is not known who calls it, it asks Alembic itself.
        ("op.get_context().config", "found_elsewhere"),
        ("CONFIG", "helpers"),
    ],
)
def test_helpers_of_revisions_with_an_engine_of_their_own_stay_as_they_are(asked, imported):
    helpers = f"""\
from alembic import op
from sqlalchemy import engine_from_config, inspect, text

CONFIG = None


def has_table(name):
    config = {asked}
    engine = engine_from_config(config.get_section("shop"), prefix="sqlalchemy.")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return inspect(engine).has_table(name)
"""
    revision = f"""\
{REVISION}from {imported} import has_table


def upgrade():
    print(has_table("shelf"))
"""
    result = made(
        "context.run_migrations()\n", helpers=helpers, **{"migrations/versions/one": revision}
    )
    assert not reasons(result)
    assert result.files["helpers.py"] == helpers.encode()
    assert b"create_async_engine" in result.files["database.py"]


SET_HERE = """\
import pytest
from alembic import command
from alembic.config import Config
from database import shop


@pytest.fixture
def migrated():
    config = Config("alembic.ini")
    config.set_main_option("sqlalchemy.url", str(shop.engine.url))
    command.upgrade(config, "head")
"""
SET_BY_A_FUNCTION = """\
from alembic import command
from alembic.config import Config


def migrate(engine):
    config = Config("alembic.ini")
    config.set_main_option("sqlalchemy.url", str(engine.url))
    command.upgrade(config, "head")


if __name__ == "__main__":
    from database import shop

    migrate(shop.engine)
"""


@pytest.mark.parametrize("text", [SET_HERE, SET_BY_A_FUNCTION], ids=["here", "by-a-function"])
def test_a_configuration_of_alembic_gets_the_url_of_a_synchronous_engine(text):
    result = made("context.run_migrations()\n", **{"tests/conftest": text})
    assert not reasons(result)
    assert b"create_async_engine" in result.files["database.py"]
    written = result.files["tests/conftest.py"]
    assert b"engine.url))" in written
    assert b"str(sync_url(" in written
    assert b'{"sqlite+aiosqlite": "sqlite"}' in written

"""What an application does when its file is imported: its lifespan does it, in the same order."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import types
from contextlib import closing

import httpx
import pytest
from compared_applications import migrated
from sqlalchemy.ext.asyncio import AsyncEngine

HEAD = """\
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(bind=engine)
done: list[str] = []


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def seed(name: str) -> None:
    with SessionLocal() as db:
        db.add(User(name=name))
        db.commit()
    done.append(name)


def add_index(engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX IF NOT EXISTS names ON users (name)"))


"""
APPLICATION = "app = FastAPI()\n"
ENDPOINT = """

@app.get("/users")
def users(db: Session = Depends(get_db)):
    return [[user.name for user in db.scalars(select(User))], done]
"""
TABLES = "Base.metadata.create_all(bind=engine)\n"
TRYING = "try:\n    add_index(engine)\nexcept Exception as error:\n    done.append(str(error))\n"
LIFESPAN = """\
@asynccontextmanager
async def lifespan(app):
    \"\"\"Starts and stops.\"\"\"
    done.append("started")
    yield


app = FastAPI(lifespan=lifespan)
"""
EVENT = """

@app.on_event("startup")
def start():
    with SessionLocal() as db:
        db.add(User(name="started"))
        db.commit()


"""
LISTED = """

def start():
    done.append("started")


app.router.on_startup.append(start)
"""
OF_OTHERS = """

class Bot:
    def on_event(self, name):
        return lambda function: function


bot = Bot()


@bot.on_event("message")
def hear(): ...


"""
FACTORY = """\
def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/users")
    def users(db: Session = Depends(get_db)):
        return [[user.name for user in db.scalars(select(User))], done]

    return app


"""
MADE = "app = create_app()\n"
SEEDING = FACTORY.replace("    app =", '    word = "ann"\n    seed(word)\n    app =', 1)
PROGRAMS = {
    "tables": HEAD + APPLICATION + TABLES + ENDPOINT,
    "tables_before": HEAD + TABLES + APPLICATION + ENDPOINT,
    "one_call": HEAD + APPLICATION + TABLES + 'seed("ann")\n' + ENDPOINT,
    "calls_apart": HEAD + TABLES + APPLICATION + 'seed("ann")\n' + ENDPOINT + 'seed("bob")\n',
    "a_try": HEAD + APPLICATION + TABLES + TRYING + 'seed("ann")\n' + ENDPOINT,
    "a_try_before": HEAD + TABLES + TRYING + APPLICATION + ENDPOINT,
    "a_loop": HEAD + APPLICATION + ENDPOINT + TABLES + 'for each in "ab":\n    seed(each)\n',
    "a_condition": HEAD + APPLICATION + TABLES + 'if "x" in "xy":\n    seed("ann")\n' + ENDPOINT,
    "a_try_twice": HEAD + TABLES + TRYING + APPLICATION + ENDPOINT + TRYING + 'seed("ann")\n',
    "a_lifespan": HEAD + LIFESPAN + ENDPOINT + TABLES + 'seed("ann")\n',
    "a_factory": HEAD + FACTORY + "# Create tables\n" + TABLES + "\n" + MADE,
    "a_factory_before": HEAD + FACTORY + MADE + TABLES + 'seed("ann")\n',
    "a_factory_and_a_try": HEAD + FACTORY + TABLES + TRYING + MADE,
    "in_a_factory": HEAD + SEEDING.replace("    word", f"    {TABLES}    word", 1) + MADE,
    "an_event": HEAD + APPLICATION + ENDPOINT + TABLES + EVENT + 'seed("bob")\n',
    "an_event_and_a_try": HEAD + TABLES + TRYING + APPLICATION + EVENT + ENDPOINT,
    "a_listed_handler": HEAD + APPLICATION + ENDPOINT + TABLES + LISTED,
    "an_event_of_others": HEAD + APPLICATION + ENDPOINT + TABLES + OF_OTHERS,
    "keywords": HEAD + 'docs = {"docs_url": None}\napp = FastAPI(**docs)\n' + ENDPOINT + TABLES,
    "a_lifespan_and_a_try": HEAD + LIFESPAN + TABLES + TRYING + ENDPOINT,
}


def answered(text, name, place, monkeypatch):
    """Return what a started application answers."""
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return asyncio.run(_asked(module))


async def _asked(module):
    transport = httpx.ASGITransport(module.app)
    async with (
        module.app.router.lifespan_context(module.app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        response = await client.get("/users")
    disposed = module.engine.dispose()
    if disposed is not None:
        await disposed
    return response.json()


@pytest.mark.filterwarnings(r"ignore:\s*on_event is deprecated")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_lifespan_does_what_the_import_did(name, tmp_path, monkeypatch):
    text = PROGRAMS[name]

    result = migrated({"main.py": text})

    after = result.files["main.py"].decode()
    assert "create_async_engine" in after
    said = " ".join(finding.message for finding in result.report.findings)
    assert "when it starts, not when the file is imported" in said
    names, done = answered(text, f"before_{name}", tmp_path / "before", monkeypatch)
    names_after, done_after = answered(after, f"after_{name}", tmp_path / "after", monkeypatch)
    # Only what the lifespan did itself comes later than what the import did, or before.
    assert (names, sorted(done)) == (names_after, sorted(done_after))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("an_event", '@app.on_event("startup")\nasync def on_startup'),
        ("a_listed_handler", '@app.on_event("startup")\nasync def on_startup'),
        ("an_event_of_others", "FastAPI(lifespan=lifespan)"),
    ],
)
def test_only_handlers_of_the_application_ask_for_another_one(name, written):
    assert written in migrated({"main.py": PROGRAMS[name]}).files["main.py"].decode()


def test_statements_that_cannot_move_stay():
    # The factory sees its variables by their names.
    text = HEAD + SEEDING.replace("    app =", "    print(locals())\n    app =", 1) + MADE

    result = migrated({"main.py": text})

    assert "when it starts" not in " ".join(one.message for one in result.report.findings)
    assert any((one.reason or "").endswith("at-import") for one in result.report.findings)


@pytest.mark.filterwarnings(r"ignore:\s*on_event is deprecated")
@pytest.mark.parametrize(
    "text",
    [
        HEAD + LIFESPAN + ENDPOINT + '@app.on_event("startup")\ndef start(): ...\nseed("a")\n',
        HEAD + FACTORY + MADE + '@app.on_event("startup")\ndef start(): ...\nseed("a")\n',
        HEAD + APPLICATION + "other = FastAPI()\n" + ENDPOINT + 'seed("ann")\n',
        HEAD + 'docs = {"on_startup": []}\napp = FastAPI(**docs)\n' + ENDPOINT + 'seed("ann")\n',
        HEAD
        + 'docs = {}\ndocs["debug"] = True\napp = FastAPI(**docs)\n'
        + ENDPOINT
        + 'seed("ann")\n',
        HEAD + FACTORY + MADE + "other = create_app()\n" + 'seed("ann")\n',
        HEAD + FACTORY.replace("app =", "app = other =") + MADE + 'seed("ann")\n',
        # A function of the file reads what the statement binds.
        HEAD + APPLICATION + ENDPOINT + TABLES + "for each in done:\n    seed(each)\nlast = each\n",
        HEAD + APPLICATION + ENDPOINT + TABLES + 'word = "a"\nseed(word)\nword = "b"\n',
        # The factory needs its variables for the application.
        HEAD + SEEDING.replace("FastAPI()", "FastAPI(title=word)", 1) + MADE,
    ],
)
def test_calls_that_no_lifespan_can_run_stay_in_a_thread(text, request, tmp_path, monkeypatch):
    result = migrated({"main.py": text})

    after = result.files["main.py"].decode()
    assert "ThreadPoolExecutor" in after
    assert not any((one.reason or "").endswith("at-import") for one in result.report.findings)
    answers = []
    for side, program in (("before", text), ("after", after)):
        place = tmp_path / side
        place.mkdir()
        with closing(sqlite3.connect(place / "shop.db")) as connection:
            connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR)")
        name = f"{side}_{request.node.callspec.id}"
        answers.append(answered(program, name, place, monkeypatch))
    assert answers[0] == answers[1]


MOUNTING = """\
from fastapi import FastAPI
from shop import app as shop

app = FastAPI()
app.mount("/shop", shop)
"""


def test_nothing_moves_into_a_lifespan_that_is_never_run(tmp_path, monkeypatch):
    shop = PROGRAMS["a_lifespan"]

    result = migrated({"shop.py": shop, "main.py": MOUNTING})

    # Starlette runs no lifespan of a mounted application: neither tables nor rows would be there.
    assert "when it starts" not in " ".join(one.message for one in result.report.findings)
    for name, text in (("before", shop), ("after", result.files["shop.py"].decode())):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        module = types.ModuleType("shop")
        monkeypatch.setitem(sys.modules, "shop", module)
        exec(compile(text, "shop.py", "exec"), module.__dict__)
        root = {}
        exec(compile(MOUNTING, "main.py", "exec"), root)
        assert asyncio.run(_asked_below(root["app"], module)) == [["ann"], ["ann"]]


async def _asked_below(root, module):
    transport = httpx.ASGITransport(root)
    async with (
        root.router.lifespan_context(root),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        answer = (await client.get("/shop/users")).json()
    await _dispose_engines(module)
    return answer


async def _dispose_engines(module):
    # The thread of a connection would outlive the test.
    for engine in [value for value in vars(module).values() if isinstance(value, AsyncEngine)]:
        await engine.dispose()


CREATING = """\
def create_tables():
    \"\"\"Create tables.\"\"\"
    Base.metadata.create_all(bind=engine)


"""
CLIENT = """\
from fastapi.testclient import TestClient
from main import create_app


def test_users():
    with TestClient(create_app()) as client:
        assert client.get("/nothing").status_code == 404
"""


@pytest.mark.parametrize(
    ("statement", "moves"),
    [
        ("create_tables()\n", True),
        (TABLES, True),
        ('seed("ann")\n', False),
        ("Base.metadata.drop_all(bind=engine)\n", False),
    ],
)
def test_what_tests_start_again_must_be_repeatable(statement, moves):
    text = HEAD + CREATING + FACTORY + statement + MADE

    result = migrated({"main.py": text, "tests/test_users.py": CLIENT})

    said = " ".join(finding.message for finding in result.report.findings)
    assert ("when it starts" in said) is moves


COMMENT = "# Tables, if there are none.\n# Alembic does the rest.\n"


@pytest.mark.parametrize(
    ("above", "below", "moves"),
    [
        (f"\n{COMMENT}", "\n", True),
        (f"\n\n{COMMENT}", "\n\n", True),
        # It may be about more than one statement.
        (f"\n{COMMENT}", "", False),
        (COMMENT, "\n", False),
        (f"\n{COMMENT}\n", "\n", False),
        ("\n# pylint: disable=all\n", "\n", False),
    ],
)
def test_a_comment_moves_with_the_statement_that_it_is_about(above, below, moves):
    text = HEAD + LIFESPAN + above + TABLES + below + "settings = {}\n" + ENDPOINT

    after = migrated({"main.py": text}).files["main.py"].decode()

    comment = above.strip("\n")
    (first, *others) = comment.splitlines()
    assert (f"    {first}\n" in after) is moves
    assert (f"\n{comment}\n" in after) is not moves
    assert all(after.count(one) == 1 for one in (first, *others))


STARTED = """\
from fastapi.testclient import TestClient
from main import app


def test_users():
    assert TestClient(app).get("/users").json() == [[], []]
"""
UNENTERED = STARTED.replace("from main import app\n", "").replace(
    "    assert", "    from main import app\n\n    assert"
)
"""No fixture can start what the file does not import."""
ENTERED = STARTED.replace(
    "assert TestClient(app)", "with TestClient(app) as client:\n        assert client"
)
CREATING_ITSELF = f"{UNENTERED}\nfrom main import Base, engine\nBase.metadata.create_all(engine)\n"


async def _asked_unstarted(module):
    transport = httpx.ASGITransport(module.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        said = (await client.get("/users")).json()
    await _dispose_engines(module)
    return said


@pytest.mark.parametrize(
    ("test", "moves"),
    [
        (UNENTERED, False),
        (f"from main import Nobody\n{UNENTERED}", True),
        (STARTED, True),
        (ENTERED, True),
        (CREATING_ITSELF, True),
    ],
)
def test_tables_stay_where_clients_do_not_start_the_application(test, moves):
    text = HEAD + APPLICATION + TABLES + ENDPOINT

    after = migrated({"main.py": text, "tests/test_users.py": test}).files["main.py"].decode()

    assert "async def users" in after
    assert ("async def lifespan" in after) is moves


def test_who_does_not_start_the_application_finds_the_tables(tmp_path, monkeypatch):
    text = HEAD + APPLICATION + TABLES + ENDPOINT
    after = migrated({"main.py": text, "tests/test_users.py": UNENTERED}).files["main.py"].decode()
    for name, source in {"before_stay": text, "after_stay": after}.items():
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
        assert asyncio.run(_asked_unstarted(module)) == [[], []]

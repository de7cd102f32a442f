"""Shapes of whole programs: what stays beside the requests, and what only looks like a session."""

from __future__ import annotations

import pytest
from planned import program_of, reason_of, rewritten, session_to_async

from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.contract import Change, ChangeId, Level, SiteId, Span, TextEdit
from awaken.project import Snapshot
from awaken.workspace.sources import decode

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///app.db")
LocalSession = sessionmaker(engine)


def get_db():
    with LocalSession() as db:
        yield db
"""


def refused(plan):
    return {reason_of(one) for one in plan.findings if one.level is Level.MANUAL}


def text_of(result, path):
    return result.files[path].decode()


# ------------------------------------------------------------------------------------- commands
BOTH_WAYS = """\
from functools import wraps

from database import LocalSession


def with_session(command=None, *, commits=False):
    def decorator(command):
        @wraps(command)
        def decorated(*args, **kwargs):
            db = LocalSession()
            command(*args, db=db, **kwargs)
            db.commit()

        return decorated

    return decorator(command) if command else decorator
"""
LAST = "return decorator(command) if command else decorator"
COMMANDS = """\
import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from sessions import with_session


@click.command()
@with_session
def first(db: Session):
    db.execute(text("select 1"))


@click.command()
@with_session(commits=True)
def second(db: Session):
    db.execute(text("select 2"))
"""


def test_a_decorator_of_commands_may_be_given_arguments_or_not():
    result = rewritten(database=DATABASE, sessions=BOTH_WAYS, commands=COMMANDS)

    sessions, commands = text_of(result, "sessions.py"), text_of(result, "commands.py")
    assert "def decorated(*args, **kwargs):\n            asyncio.run(" in sessions
    assert "await command(*args, db=db, **kwargs)" in sessions
    assert "async def first(db: AsyncSession)" in commands
    assert "async def second(db: AsyncSession)" in commands


@pytest.mark.parametrize(
    ("ends", "is_read"),
    [
        (LAST, True),
        ("if command is None:\n        return decorator\n    return decorator(command)", True),
        ("if callable(command):\n        return decorator(command)\n    return decorator", True),
        (
            "COMMANDS.append(command)\n    return decorator(command) if command else decorator",
            False,
        ),
        ("return decorator(other) if command else decorator", False),
    ],
)
def test_what_such_a_decorator_does_else_is_not_read(ends, is_read):
    head = "COMMANDS = []\n\n\ndef other(db): ...\n\n\n"
    text = BOTH_WAYS.replace("\n\ndef with_session", f"\n\n{head}def with_session")
    project = program_of(
        {"database.py": DATABASE, "sessions.py": text.replace(LAST, ends), "c.py": COMMANDS}
    )

    found = project.calls.wrapping("sessions.with_session", called=False)
    assert (found is not None and found.wrapper is not None) is is_read


# ------------------------------------------------------------------------------- other databases
WAREHOUSE = """\
from sqlalchemy import create_engine

warehouse = create_engine("awsathena+rest://athena.amazonaws.com:443/default")
"""
REPORTS = """\
from sqlalchemy import text
from sqlalchemy.orm import Session

from warehouse import warehouse


def measured():
    with warehouse.connect() as connection:
        return connection.execute(text("select 1")).all()


def report(db: Session):
    db.execute(text("select 2"))
    return measured()
"""
MAIN = """\
from database import LocalSession
from reports import report


def run():
    with LocalSession() as db:
        return report(db)
"""


def test_an_engine_without_an_asynchronous_driver_stays_and_stops_nobody():
    result = rewritten(database=DATABASE, warehouse=WAREHOUSE, reports=REPORTS, main=MAIN)

    reports = text_of(result, "reports.py")
    assert result.files["warehouse.py"].decode() == WAREHOUSE
    assert "def measured():\n    with warehouse.connect() as connection:" in reports
    assert "async def report(db: AsyncSession)" in reports
    assert "    return measured()" in reports


@pytest.mark.parametrize(
    "use",
    [
        "return kept(connection)",
        "return [connection]",
        "return Session(warehouse)",
    ],
)
def test_an_engine_whose_connections_go_further_is_refused(use):
    text = REPORTS.replace('return connection.execute(text("select 1")).all()', use)
    helper = "\n\ndef kept(connection):\n    return connection.execute(text('select 1'))\n"
    texts = {
        "database.py": DATABASE,
        "warehouse.py": WAREHOUSE,
        "reports.py": text + helper,
        "main.py": MAIN,
    }

    assert "no-driver" in refused(session_to_async(texts))


# ---------------------------------------------------------------------------- conditions of DDL
VIEWS = """\
from functools import partial

from sqlalchemy import Connection, DDL, MetaData, event, inspect

metadata = MetaData()


def exists(ddl, target, connection: Connection, name, **given):
    return name in inspect(connection).get_view_names()


def is_missing(ddl, target, connection: Connection, name, **given):
    return not exists(ddl, target, connection, name, **given)


event.listen(metadata, "after_create",
             DDL("create view a as select 1").execute_if(callable_=partial(is_missing, name="a")))
event.listen(metadata, "before_drop",
             DDL("drop view a").execute_if(callable_=partial(exists, name="a")))
MORE
"""


@pytest.mark.parametrize(
    ("more", "stays"), [("", True), ("kept = [exists]", False), ("kept = [is_missing]", False)]
)
def test_conditions_of_ddl_are_asked_with_the_synchronous_connection(more, stays):
    texts = {
        "database.py": DATABASE,
        "store.py": UNUSED,
        "main.py": USING.replace("MORE", "pass"),
        "views.py": VIEWS.replace("MORE", more),
    }
    plan = session_to_async(texts)

    found = [one for one in plan.findings if one.place.path == "views.py"]
    assert (not found) is stays


# ----------------------------------------------------------------------------- what nobody calls
UNUSED = """\
from sqlalchemy import select, text
from sqlalchemy.orm import Session


class Store:
    def named(self, db, name):
        return db.scalars(select(name)).all()

    def all_named(self, db):
        return [self.named(db, one) for one in range(3)]


def used(db: Session):
    return db.execute(text("select 1"))
"""
USING = """\
from database import LocalSession
from fastapi import FastAPI
from store import Store, used

app = FastAPI()


@app.get("/")
def run(thing):
    with LocalSession() as db:
        MORE
        return used(db)
"""


@pytest.mark.parametrize(
    ("more", "is_refused"),
    [("pass", False), ("Store().all_named(thing)", True), ("thing.all_named(db)", True)],
)
def test_what_nobody_calls_is_given_sessions_of_others(more, is_refused):
    texts = {
        "database.py": DATABASE,
        "store.py": UNUSED,
        "main.py": USING.replace("MORE", more),
    }

    assert ("unknown-session" in refused(session_to_async(texts))) is is_refused


# ------------------------------------------------------------------------------------ annotations
def test_annotations_in_quotes_are_written_as_well():
    text = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def save(db: "Session") -> "Session":
    db.commit()
    return db
"""
    main = MAIN.replace("reports", "store").replace("report", "save")
    result = rewritten(database=DATABASE, store=text, main=main)

    assert "async def save(db: AsyncSession) -> AsyncSession:\n    await db.commit()" in text_of(
        result, "store.py"
    )


# ------------------------------------------------------------------------------- items of workers
JOBS = """\
from sqlalchemy import text

from database import LocalSession


async def on_start(ctx):
    ctx["db"] = LocalSession()


async def job(ctx: dict):
    ctx["db"].execute(text("select 1"))
    ctx["db"].commit()


FUNCTIONS = [job]
"""


def test_what_one_job_of_a_worker_keeps_another_takes():
    result = rewritten(database=DATABASE, jobs=JOBS)

    assert 'await ctx["db"].commit()' in text_of(result, "jobs.py")


@pytest.mark.parametrize(
    "other",
    [
        'def put(ctx, other):\n    ctx["db"] = other\n',
        'def put(ctx):\n    ctx["db"], _ = 1, 2\n',
        'ctx = {}\nctx["db"] = LocalSession()\n',
    ],
)
def test_what_may_be_something_else_is_none(other):
    plan = session_to_async({"database.py": DATABASE, "jobs.py": f"{JOBS}\n\n{other}"})

    assert "unknown-session" in refused(plan)


ON_END = """\


async def on_end(ctx):
    db = ctx["db"]
    db.close()
"""


def test_what_is_taken_out_of_what_a_worker_keeps_may_have_a_name():
    result = rewritten(database=DATABASE, jobs=f"{JOBS}{ON_END}")

    assert 'db = ctx["db"]\n    await db.close()' in text_of(result, "jobs.py")


def test_what_has_a_name_and_may_be_given_something_else_is_none():
    on_end = ON_END.replace("    db.close", "    db = db or ctx\n    db.close")
    plan = session_to_async({"database.py": DATABASE, "jobs.py": f"{JOBS}{on_end}"})

    assert "unknown-session" in refused(plan)


# ------------------------------------------------------------------------- classes to themselves
MODELS = """\
from sqlalchemy import Column, ForeignKey, Integer, Table
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()
links = Table("links", Base.metadata, Column("a", ForeignKey("parts.id")),
              Column("b", ForeignKey("parts.id")))


class Part(Base):
    __tablename__ = "parts"
    id = Column(Integer, primary_key=True)
    of_id = Column(ForeignKey("parts.id"))
    of = relationship("Part", remote_side=[id])
    uses = relationship("Part", secondary=links, primaryjoin=links.c.a == id,
                        secondaryjoin=links.c.b == id, backref="used_by")



def shown(db: Session):
    part = db.get(Part, 1)
    return [getattr(part, "of"), getattr(part, "uses"), getattr(part, "used_by")]
"""


def test_several_relationships_of_a_class_to_itself_are_loaded_as_deep_as_the_owner_says():
    main = MAIN.replace("reports", "models").replace("report", "shown")
    texts = {"database.py": DATABASE, "models.py": MODELS, "main.py": main}

    assert "read-elsewhere" in refused(session_to_async(texts))
    plan = session_to_async(texts, levels=3)
    assert refused(plan) == set()
    messages = [one.message for one in plan.findings if "up to 3 relationships" in one.message]
    assert len(messages) == 3
    assert all("of an object further away raises" in one for one in messages)


def test_a_base_that_a_decorator_makes_gets_the_mixin():
    text = (
        MODELS.replace("declarative_base, ", "as_declarative, ")
        .replace("Base = declarative_base()", "@as_declarative()\nclass Base:\n    pass\n\n")
        .replace(
            'return [getattr(part, "of"), getattr(part, "uses"), getattr(part, "used_by")]',
            "return part.of",
        )
    )
    main = MAIN.replace("reports", "models").replace("report", "shown")
    result = rewritten(database=DATABASE, models=text, main=main)

    models = text_of(result, "models.py")
    assert "class Base(AsyncAttrs):" in models
    assert ".awaitable_attrs.of" in models


# --------------------------------------------------------------------------------------- the proof
FORGOTTEN = """\
async def work():
    pass


async def run(call):
    work()
    call(return_value=work())
"""


@pytest.mark.parametrize(
    ("before", "is_told"),
    [
        (FORGOTTEN, False),
        (FORGOTTEN.replace("async def work", "def work"), True),
        (FORGOTTEN.replace("    work()", "    await work()").replace("=work()", "=1"), True),
        ("", True),
    ],
)
def test_coroutines_that_nothing_awaited_before_were_not_lost(before, is_told):
    edits = (TextEdit(path="app.py", anchor=Span(0, 0), text="", site=SiteId("")),)
    change = Change(
        id=ChangeId("all"),
        rule="session-to-async",
        title="",
        level=Level.UNSAFE,
        sites=(),
        edits=edits,
    )
    known = Before(Snapshot({"app.py": decode("app.py", before.encode())}))

    found = list(problems(known, program_of({"app.py": FORGOTTEN}), [change]))
    assert bool(found) is is_told

"""What session-to-async says of a component as a whole."""

from __future__ import annotations

from planned import session_to_async

FILES = {
    "database.py": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
new_session = sessionmaker(engine)


def get_db():
    with new_session() as db:
        yield db
""",
    "orders.py": """\
from sqlalchemy.orm import Session


def total(db: Session) -> int:
    return db.scalar("select sum(total) from orders")


def told(db: Session) -> str:
    return str(total(db))
""",
    "main.py": """\
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from database import get_db
from orders import told

app = FastAPI()


@app.get("/")
def read(db: Session = Depends(get_db)) -> str:
    return told(db)
""",
    "tests/test_orders.py": """\
from database import new_session
from orders import total


def test_total():
    with new_session() as db:
        assert total(db) == 0
""",
}
STOPPING = """\
from database import new_session
from orders import told


class Stock:
    def __len__(self):
        with new_session() as db:
            return len(told(db))

    def __bool__(self):
        with new_session() as db:
            return db.scalar("select 1")
"""


def parts(outline):
    """Return the rows of each part, without their places."""
    return {
        part.key: [(row.text or row.place.path, row.count) for row in part.rows]
        for part in outline.parts
    }


def test_a_change_says_where_it_begins_and_what_it_comes_to():
    plan = session_to_async(FILES)

    (outline,) = plan.outlines
    found = parts(outline)
    assert outline.title == "5 functions in 4 files become asynchronous"
    assert outline.change == plan.changes[0].id
    assert found["seeds"] == [
        ("engine", 1),
        ("session factory", 1),
        ("functions of the program that use a session themselves", 2),
        ("function of tests that does", 1),
    ]
    assert found["functions"] == [("database.py", 1), ("main.py", 1), ("orders.py", 2)]
    assert found["tests"] == [("tests/test_orders.py", 1)]
    assert found["boundaries"] == [
        ("awaited by FastAPI as a dependency", 1),
        ("awaited by FastAPI as an endpoint or a handler", 1),
        ("awaited by a pytest plug-in as a test or a fixture", 1),
    ]
    assert ("`Session` becomes `AsyncSession`", 3) in found["beside"]
    assert ("objects keep their values after a commit", 1) in found["caveats"]


COMMAND = """\
import click

from database import new_session
from orders import total


@click.command()
def main():
    with new_session() as db:
        print(total(db))
"""
ENVIRONMENT = """\
from alembic import context

from database import engine

with engine.connect() as connection:
    context.configure(connection=connection)
"""


def test_what_stays_plain_is_a_boundary():
    files = {**FILES, "command.py": COMMAND, "alembic/env.py": ENVIRONMENT}
    plan = session_to_async(files)

    found = parts(plan.outlines[0])
    assert ("a command: stays synchronous, and runs a coroutine function", 1) in found["boundaries"]
    assert ("stays synchronous, with `engine`", 1) in found["boundaries"]


def test_what_stops_most_functions_is_said_first():
    plan = session_to_async({**FILES, "stock.py": STOPPING})

    (outline,) = (one for one in plan.outlines if one.change is None)
    found = parts(outline)
    assert outline.title == "2 causes keep 7 functions synchronous"
    assert [count for _, count in found["stops"]] == [3, 1]
    assert found["stops"][0][0].startswith("Python itself calls `Stock.__len__`")
    assert {one.site for one in plan.findings if one.level == "manual"} <= set(outline.sites)


def test_the_way_to_the_session_names_its_functions():
    plan = session_to_async(FILES)

    (endpoint,) = (one for one in plan.findings if "`read` becomes" in one.message)
    assert [place.note for place in endpoint.related] == ["in `read`", "in `told`", "in `total`"]


def test_names_alone_have_no_outline():
    plan = session_to_async(
        {"a.py": "from sqlalchemy.orm import Session\n\n\ndef f(db: Session): ...\n"}
    )

    assert plan.outlines == ()


def test_a_component_that_nothing_is_a_part_of_is_said():
    plan = session_to_async(FILES, component="ordres")

    (outline,) = plan.outlines
    assert outline.title == "no function that would become asynchronous is named `ordres`"
    assert not plan.changes
    assert session_to_async(FILES, component="orders").changes


UNKNOWN = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

new_session = sessionmaker(create_engine("sqlite:///x.db"))


class Repository:
    def __init__(self, db: Session):
        self.db = db

    def load(self, number):
        return self.db.scalar(text("select 1"))

    def keep(self, number):
        self.db.execute(text("select 2"))


def service(repository):
    repository.load(1)
    repository.keep(1)
    repository.keep(2)
    return repository.load(2)


class Holder:
    def __init__(self, db):
        self.db = db

    def one(self):
        self.db.add_all([1])

    def two(self):
        self.db.flush()


def run(made):
    service(made)
    with new_session() as db:
        return Repository(db).load(1)
"""


def test_calls_of_one_unknown_object_are_one_cause_and_its_annotation_is_their_cure():
    plan = session_to_async({"app.py": UNKNOWN})
    (outline,) = plan.outlines
    cures = {one.help for one in plan.findings if "unknown" in (one.reason or "")}

    assert outline.title == "2 causes keep 3 functions synchronous"
    assert sorted(text for text, _ in parts(outline)["stops"]) == [
        "parameter `db` has no annotation, and 2 places use it",
        "parameter `repository` has no annotation, and 4 places use it",
    ]
    assert cures == {
        f"Annotate the parameter with its class: `{one}`."
        for one in ("db: Session", "repository: Repository")
    }
    cured = UNKNOWN.replace("(repository)", "(repository: Repository)")
    cured = cured.replace("(self, db):", "(self, db: Session):")
    plan = session_to_async({"app.py": cured})
    assert plan.changes
    assert all(one.level == "unsafe" for one in plan.findings)


QUERIES = """\
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

engine = create_engine("sqlite://")
Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


def first(db: Session):
    return db.query(User).first()


def every(db: Session):
    return db.query(User).all()


def both(db: Session):
    return first(db), every(db)
"""


def test_what_another_rule_rewrites_first_is_one_cause():
    plan = session_to_async({"app.py": QUERIES})
    (outline,) = plan.outlines

    assert outline.title == "1 cause keeps 3 functions synchronous"
    assert parts(outline)["stops"] == [
        ("`query` has no asynchronous counterpart at 2 places: run `query-to-select` first", 3)
    ]

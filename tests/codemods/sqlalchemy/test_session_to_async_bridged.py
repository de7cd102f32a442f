"""The option `bridged`: functions that something out of sight calls, and that stay plain."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

DATABASE = """
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
engine = create_engine("sqlite:///shop.db")
Local = sessionmaker(engine)
class Store:
    def __init__(self, engine):
        self.engine = engine
"""
MAIN = """
from fastapi import FastAPI
from database import Local, Store, engine, text
app = FastAPI()
@app.get("/")
def index() -> int:
    with Local() as session:
        return session.scalar(text("select 1"))
"""
COUNT = """
from collector import gauge
from database import Local, Session, Store, engine, text
from main import index
def count() -> int:
    with engine.connect() as connection:
        return connection.execute(text("select 2")).scalar_one()
gauge("rows", callback=count)
"""


def planned(gauges, bridged=("gauges.count",)):
    """Return the plan for a shop whose gauges are these."""
    texts = {"database.py": DATABASE, "main.py": MAIN, "gauges.py": gauges}
    return session_to_async(texts, bridged=list(bridged))


def reasons(plan):
    """Return why places stay as they are, without those that only stand beside them."""
    found = {reason_of(one) for one in plan.findings if one.reason}
    return found - {"beside-another"}


def test_the_report_asks_for_the_option_and_names_the_function():
    (found,) = (one for one in planned(COUNT, ()).findings if reason_of(one) == "handed-on")

    assert 'bridged = ["gauges.count"]' in found.help


def test_a_function_inside_of_another_is_named_without_the_locals():
    inside = COUNT.replace("def count", "def watch():\n  def count").replace("\n    ", "\n     ")
    inside = inside.replace("gauge(", "  gauge(")
    (found,) = (one for one in planned(inside, ()).findings if reason_of(one) == "handed-on")

    assert 'bridged = ["gauges.watch.count"]' in found.help
    assert not reasons(planned(inside, ["gauges.watch.count"]))


def test_a_function_that_is_named_stops_nothing():
    assert reasons(planned(COUNT, ())) == {"handed-on"}
    assert not reasons(planned(COUNT))


def test_a_thread_of_the_application_may_run_it():
    thread = COUNT.replace("from collector import gauge", "from threading import Thread")
    thread = thread.replace('gauge("rows", callback=count)', "Thread(target=count).start()")
    (found,) = (one for one in planned(thread, ()).findings if reason_of(one) == "in-thread")

    assert 'bridged = ["gauges.count"]' in found.help
    assert not reasons(planned(thread))


@pytest.mark.parametrize("daemon", ["", ", daemon=True"])
def test_what_a_thread_of_its_own_changes_is_announced(daemon):
    thread = COUNT.replace("from collector import gauge", "from threading import Thread")
    thread = thread.replace(
        'gauge("rows", callback=count)', f"Thread(target=count{daemon}).start()"
    )
    said = " ".join(each.message for each in planned(thread).findings)
    assert "events of `engine` do not fire" in said
    assert ("waits for it at its end" in said) == bool(daemon)


BODIES = {
    "calls": """
    return index()
""",
    "options of a factory": """
    with Local(autoflush=False) as session:
        return session.scalar(text("select 1"))
""",
    "block of a factory": """
    with Local.begin() as session:
        return session.scalar(text("select 1"))
""",
    "attribute": """
    with Store(engine).engine.connect() as connection:
        return connection.execute(text("select 1")).scalar_one()
""",
    "generator": """
    with engine.connect() as connection:
        yield connection.execute(text("select 1")).scalar_one()
""",
    "factory beside": """
    with engine.connect() as connection, Local() as session:
        return session.scalar(text("select 1"))
""",
    "calls beside": """
    with engine.connect() as connection:
        index()
        return connection.execute(text("select 1")).scalar_one()
""",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_needs_other_connections_is_refused_and_not_asked_for(body):
    gauges = COUNT.partition("    with engine")[0] + body + '\ngauge("rows", callback=count)\n'

    assert "not-on-own-engine" in reasons(planned(gauges))
    assert not [one for one in planned(gauges, ()).findings if "bridged" in (one.help or "")]


PASSED = (
    COUNT.partition("def count")[0]
    + """
def asked(session: Session{default}) -> int:
    {body}
def count() -> int:
    with Session(engine) as session:
        return asked(session)
gauge("rows", callback=count)
"""
)
OF_SESSION = 'return session.scalar(text("select 2"))'


def test_what_it_calls_may_use_the_session_that_it_is_passed():
    gauges = PASSED.format(default="", body=OF_SESSION)

    assert not reasons(planned(gauges))
    assert [one for one in planned(gauges, ()).findings if "bridged" in (one.help or "")]


@pytest.mark.parametrize(
    ("default", "body"),
    [
        (" = Local()", OF_SESSION),
        ("", f"with Local() as session:\n        {OF_SESSION}"),
        ("", f"with Session(engine) as session:\n        {OF_SESSION}"),
        ("", 'return Store(engine).engine.connect().scalar(text("select 2"))'),
        ("", f"index()\n    {OF_SESSION}"),
    ],
)
def test_what_it_calls_waits_for_no_other_connections(default, body):
    gauges = PASSED.format(default=default, body=body)

    assert "not-on-own-engine" in reasons(planned(gauges))


OF_FACTORY = (
    COUNT.partition("    with engine")[0]
    + """
    with Local() as session:
        return session.scalar(text("select 2"))
def loop() -> None:
    while True:
        count()
from threading import Thread
Thread(target=loop).start()
"""
)


def test_what_a_thread_calls_is_asked_for_if_a_factory_makes_its_sessions():
    (found,) = (one for one in planned(OF_FACTORY, ()).findings if reason_of(one) == "in-thread")

    assert 'bridged = ["gauges.count"]' in found.help
    assert not reasons(planned(OF_FACTORY))


REPLACED = """
import gauges
def test_count(monkeypatch):
    monkeypatch.setattr(gauges, "Local", lambda: None)
    gauges.count()
"""


@pytest.mark.parametrize(
    ("made", "test"),
    [("sessionmaker()", ""), ("sessionmaker(binds={})", ""), ("sessionmaker(engine)", REPLACED)],
)
def test_a_factory_has_an_engine_and_is_not_replaced(made, test):
    texts = {"main.py": MAIN, "gauges.py": OF_FACTORY, "test_count.py": test}
    texts["database.py"] = DATABASE.replace("sessionmaker(engine)", made)
    plan = session_to_async(texts, bridged=["gauges.count"])

    assert "not-on-own-engine" in reasons(plan)


def test_an_engine_under_another_name_is_refused():
    gauges = COUNT.replace("engine, text", "engine as source, text").replace(
        "engine.conn", "source.conn"
    )

    assert "not-on-own-engine" in reasons(planned(gauges))


KEPT = """
from database import engine, text
class Shelf:
    def __len__(self):
        with engine.connect() as connection:
            return connection.execute(text("select 3")).scalar_one()
"""
WATCH = """
from collector import gauge
from database import Local, engine, text
def watch() -> None:
    def count() -> int:
        with engine.connect() as connection:
            return connection.execute(text("select 2")).scalar_one()
    with Local() as session:
        session.execute(text("select 4"))
    gauge("rows", callback=count)
"""


@pytest.mark.parametrize(
    ("gauges", "name", "expected"),
    [
        (COUNT, "gauges.count", {"sync-protocol"}),
        (WATCH, "gauges.watch.count", {"sync-protocol", "two-engines"}),
    ],
)
def test_nothing_is_bridged_where_others_keep_its_engine_synchronous(gauges, name, expected):
    texts = {"database.py": DATABASE, "main.py": MAIN, "gauges.py": gauges, "shelf.py": KEPT}
    plan = session_to_async(texts, bridged=[name])

    assert reasons(plan) == expected
    assert not [one for one in plan.findings if one.place.path == "gauges.py" and one.change]


def test_an_engine_that_only_a_factory_names_is_written_beside_the_one_that_stays():
    texts = {"database": DATABASE, "main": MAIN, "shelf": KEPT}
    written = rewritten(**texts).files["database.py"].decode()

    assert 'async_engine = create_async_engine("sqlite+aiosqlite:///shop.db")' in written
    assert "Local = async_sessionmaker(async_engine" in written

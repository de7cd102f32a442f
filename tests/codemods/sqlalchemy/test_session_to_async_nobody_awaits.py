"""What code outside of the program calls or asks for, and does not await: it is refused."""

from __future__ import annotations

import pytest
from planned import reason_of, session_to_async

from awaken.contract import Level

SHOP = """\
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def ids(db: Session) -> list[int]:
    return list(db.scalars(select(User.id)))


def each(db: Session) -> Iterator[int]:
    for key in ids(db):
        yield key
        db.commit()


@contextmanager
def audited(name: str) -> Iterator[None]:
    with LocalSession() as db:
        db.add(User())
        db.commit()
    yield
"""


def findings_of(texts):
    """Return the reasons of what stays, with the text of each place; None for the rest."""
    found = session_to_async(texts).findings
    return {
        (reason_of(one), texts[one.place.path].encode()[slice(*_ends(one))].decode())
        for one in found
        if one.level is Level.MANUAL
    }


def _ends(finding):
    return finding.place.span.start, finding.place.span.end


def refused(texts):
    """Return the reasons that are the causes, each with the first line of its place."""
    reasons = {(why, text.partition("\n")[0]) for why, text in findings_of(texts)}
    return {one for one in reasons if one[0] != "beside-another"}


def body(text):
    """Return a program with one function that reads ``each(db)`` so."""
    return f"{SHOP}\n\ndef run(db: Session, xs: list[int]):\n    {text}\n"


DECORATED = """

@audited("work")
{kind} work():
    pass
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("ending", ["", "\n\nwork()\n", "\n\nprint(ids(LocalSession()))\n"])
def test_a_manager_that_decorates_at_import_is_refused(kind, ending):
    found = refused({"app.py": SHOP + DECORATED.format(kind=kind) + ending})
    assert ("at-import", 'audited("work")') in found


@pytest.mark.parametrize(
    "text",
    [
        "for n, key in enumerate(each(db)):\n        print(n, key)",
        "for n, key in enumerate(each(db), start=1):\n        break",
        "for key, x in zip(each(db), xs):\n        print(key, x)",
        "return list(zip(each(db), xs))",
        "return [db.get(User, key) for _, key in enumerate(each(db))]",
        "return next(enumerate(each(db)))",
        "for n, key in enumerate(ids(db) for _ in xs):\n        break",
        "pairs = enumerate(each(db))\n    return pairs",
    ],
)
def test_what_asks_for_items_one_by_one_is_given_no_list(text):
    assert {why for why, _ in refused({"app.py": body(text)})} == {"generator-use"}


@pytest.mark.parametrize(
    "text",
    [
        "return list(enumerate(each(db)))",
        "return dict(enumerate(each(db)))",
        "return {n: key for n, key in enumerate(each(db))}",
        "return list(zip(each(db), xs, strict=True))",
        "return sorted(enumerate(each(db)), key=lambda pair: -pair[0])",
    ],
)
def test_what_takes_all_items_at_once_is_given_a_list(text):
    assert not findings_of({"app.py": body(text)})


SET_UP = "def {name}({arguments}):\n    with shop.LocalSession() as db:\n        shop.ids(db)\n"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("setup_module", "tests/test_it.py"),
        ("setUpModule", "tests/test_it.py"),
        ("setup_function", "test_it.py"),
        ("teardown_function", "tests/test_it.py"),
        ("teardown", "tests/test_it.py"),
        ("pytest_sessionstart", "tests/conftest.py"),
        ("pytest_generate_tests", "tests/test_it.py"),
        ("pytest_configure", "plugin.py"),
    ],
)
def test_what_pytest_calls_by_name_is_refused(name, path):
    text = "import shop\n\n\n" + SET_UP.format(name=name, arguments="it=None")
    found = refused({"shop.py": SHOP, path: text})
    assert found == {("called-by-pytest", f"def {name}(it=None):")}


@pytest.mark.parametrize(
    ("name", "arguments", "body", "more"),
    [
        ("setup_method", "self, method", "print(method)", ""),
        ("teardown_method", "self", "return 1", ""),
        ("setup_class", "self", "", ""),
        ("setup_method", "self", "", "    def test_it(self):\n        self.setup_method()\n"),
    ],
)
def test_a_method_that_no_fixture_replaces_is_refused(name, arguments, body, more):
    text = SET_UP.format(name=name, arguments=arguments).replace("\n", "\n    ")
    text = f"import shop\n\n\nclass TestIt:\n    {text}    {body}\n\n{more}"
    refusals = refused({"shop.py": SHOP, "tests/test_it.py": text.rstrip() + "\n"})
    assert "called-by-pytest" in {why for why, _ in refusals}


@pytest.mark.parametrize("name", ["setup_function", "teardown_function"])
@pytest.mark.parametrize("more", ["", "\n\nclass TestIt:\n    def test_it(self): ...\n"])
def test_a_fixture_of_functions_would_run_for_methods_too(name, more):
    text = "import shop\n\n\n" + SET_UP.format(name=name, arguments="it") + more
    refusals = refused({"shop.py": SHOP, "test_it.py": text})
    assert refusals == ({("called-by-pytest", f"def {name}(it):")} if more else set())


@pytest.mark.parametrize("name", ["setup", "setup_shop"])
def test_a_helper_of_tests_that_they_call_is_none(name):
    text = "import shop\n\n\n" + SET_UP.format(name=name, arguments="")
    text += f"\n\ndef test_it():\n    {name}()\n"
    assert not refused({"shop.py": SHOP, "tests/test_it.py": text})


ENUM = """

class Pick(Enum):
    IDS = {value}

    def apply(self, db: Session):
        return self.value{item}(db)


def run():
    with LocalSession() as db:
        print([pick.apply(db) for pick in Pick])
"""


@pytest.mark.parametrize(
    ("value", "item"),
    [
        ("(ids,)", "[0]"),
        ("[ids, 1]", "[0]"),
        ('{"function": ids}', '["function"]'),
        ("functools.partial(ids)", ""),
    ],
)
def test_a_function_in_the_value_of_a_member_is_refused(value, item):
    text = f"import functools\n{SHOP}{ENUM.format(value=value, item=item)}"
    assert ("handed-on", "ids") in refused({"app.py": text})
    assert "def run():" in {one.partition("\n")[0] for _, one in findings_of({"app.py": text})}


UNFOLLOWED = {
    "descriptor": """
class Count:
    def __get__(self, obj, owner=None):
        return obj.{name}.scalar(select(User.id))


class Stats:
    count = Count()

    def __init__(self, db: Session):
        self.{name} = db
""",
    "descriptor that sets": """
class Form:
    def __init__(self, db: Session):
        self.{name} = db


class Kept:
    def __set__(self, obj, value):
        obj.{name}.get(User, value)
""",
    "several": """
def count(source: "Session | Connection"):
    return source.scalar(select(User.id))
""",
    "several of typing": """
def count(source: Union[Session, Connection]):
    return source.execute(select(User.id))
""",
    "of a thread": """
state = threading.local()


def begin():
    state.{name} = LocalSession()


def count():
    return state.{name}.scalar(select(User.id))
""",
}


@pytest.mark.parametrize("shape", UNFOLLOWED)
@pytest.mark.parametrize("name", ["db", "session"])
def test_a_session_that_comes_by_a_way_that_is_not_followed_is_refused(shape, name):
    imports = "import threading\nfrom typing import Union\n\nfrom sqlalchemy import Connection\n"
    text = f"{imports}{SHOP}\n{UNFOLLOWED[shape].format(name=name)}"
    assert "unknown-session" in {why for why, _ in refused({"app.py": text})}


@pytest.mark.parametrize(
    "statement",
    [
        "raw = engine.raw_connection()",
        "cursor = LocalSession().connection().connection.cursor()",
    ],
)
def test_what_connections_have_no_more_is_refused(statement):
    text = f"{SHOP}\n\ndef run():\n    {statement}\n"
    assert "no-twin" in {why for why, _ in refused({"app.py": text})}


def test_a_descriptor_that_asks_no_session_is_not():
    kept = """
class Kept:
    def __get__(self, obj, owner=None):
        return obj.cache.get(1)


class Form:
    def __init__(self):
        self.cache = {}
"""
    assert not findings_of({"app.py": f"{SHOP}\n{kept}"})


AT_IMPORT = """\
from shop import Base, LocalSession, User, engine


def prepare():
    Base.metadata.create_all(engine)
    MORE


prepare()
"""


@pytest.mark.parametrize(
    "more", ["pass", "with LocalSession() as db:\n        db.add(User())\n        db.commit()"]
)
def test_what_runs_when_it_is_imported_stops_no_function_with_a_session(more):
    api = "import run\nfrom fastapi import FastAPI\nfrom shop import audited\n\n"
    api += "app = FastAPI()\n\n\n"
    api += "@app.get('/')\ndef audit():\n    with audited('a'):\n        return 1\n"
    # Which of two applications is to do it is not known, so a thread runs it.
    admin = "import run\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
    run = AT_IMPORT.replace("MORE", more)
    files = {"shop.py": SHOP, "api.py": api, "admin.py": admin, "run.py": run}
    found = session_to_async(files).findings

    assert {one.reason for one in found} == {None}
    assert "a thread runs `prepare()` while the file is imported" in {one.message for one in found}
    assert any(one.message.startswith("`ids` becomes a coroutine function") for one in found)


COLLECTED = """

class Users:
    def collect(self):
        yield from ids(LocalSession())

    def shown(self):
        return ids(LocalSession())


{statement}
"""


@pytest.mark.parametrize(
    ("statement", "stays"),
    [
        ("REGISTRY.register(Users())", {"collect", "shown"}),
        ("users = Users()\nREGISTRY.register(users)", {"collect", "shown"}),
        ("REGISTRY.register(Users())\n\n\ndef show(users: Users):\n    users.shown()", {"collect"}),
        ("users = repr(Users())", set()),
        ("users = [Users()]", set()),
    ],
)
def test_a_method_of_an_object_that_a_library_is_given_is_refused(statement, stays):
    text = f"from prometheus_client.core import REGISTRY\n{SHOP}{COLLECTED}"
    found = refused({"app.py": text.format(statement=statement)})
    assert found == {("handed-on", f"def {name}(self):") for name in stays}

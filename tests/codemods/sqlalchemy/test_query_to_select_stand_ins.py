"""Objects with a ``query`` of their own, given where a session is annotated: in every way we know.

Each program runs before and after what is safe in it; a rewrite would fail with what it is given.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

pytestmark = pytest.mark.filterwarnings("ignore:The Query.get")

SHOP = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


engine = create_engine(
    "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
)
Make = sessionmaker(engine)
Base.metadata.create_all(engine)
with Make.begin() as filling:
    filling.add_all([Shop(id=1, name="a"), Shop(id=2, name="b")])


def find(db: Session):
    return db.query(Shop).filter(Shop.id > 1).all()

"""
FACADE = """\
class Facade:
    def __init__(self, inner):
        self.inner = inner

    def query(self, *things):
        return self.inner.query(*things)

"""
OBJECTS = {
    "method": FACADE,
    "assigned": "class Facade:\n    def __init__(self, inner):\n        self.query = inner.query\n",
    "class-attribute": "class Facade:\n    def __init__(self, inner):\n        pass\n"
    "    query = staticmethod(Make().query)\n",
    "inherited": FACADE.replace("Facade", "First") + "class Facade(First):\n    pass\n",
    "answers-any-name": "class Facade:\n    def __init__(self, inner):\n"
    "        self.inner = inner\n    def __getattr__(self, name):\n        assert name == 'query'\n"
    "        return getattr(self.inner, name)\n",
    "notes-the-name": "class Facade:\n    def __init__(self, inner):\n"
    "        self.inner = inner\n    def __getattr__(self, name):\n        print(name)\n"
    "        return getattr(self.inner, name)\n",
    "notes-it-in-the-call": "class Facade:\n    def __init__(self, inner):\n"
    "        self.inner = inner\n    def __getattr__(self, name):\n"
    "        return getattr(self.inner, print(name) or name)\n",
    "forwards-by-a-function": "def forward(self, name):\n    print(name)\n"
    "    return getattr(self.inner, name)\nclass Facade:\n    __getattr__ = forward\n"
    "    def __init__(self, inner):\n        self.inner = inner\n",
    "has-what-is-called": "class Facade:\n    def __init__(self, inner):\n"
    "        self.inner = inner\n    def __getattr__(self, name):\n"
    "        return getattr(self.inner, name)\n    def scalars(self, *asked):\n"
    "        raise TypeError\n",
    "subclass-of-session": "class Facade(Session):\n    def __init__(self, inner):\n"
    "        super().__init__(engine)\n    def query(self, *things):\n"
    "        return super().query(*things).filter(Shop.name != 'b')\n",
    "abstract-library-base": "import abc\n" + FACADE.replace("Facade:", "Facade(abc.ABC):"),
    "namespace": "from types import SimpleNamespace\n"
    "def Facade(inner):\n    return SimpleNamespace(query=inner.query)\n",
}
GIVEN = {
    "positional": "print(len(find(Facade(Make()))))\n",
    "keyword": "print(len(find(db=Facade(Make()))))\n",
    "list-unpacked": "print(len(find(*[Facade(Make())])))\n",
    "variable-unpacked": "given = (Facade(Make()),)\nprint(len(find(*given)))\n",
    "dictionary-unpacked": "print(len(find(**{'db': Facade(Make())})))\n",
    "settings-unpacked": "given = {'db': Facade(Make())}\nprint(len(find(**given)))\n",
    "variable": "given = Facade(Make())\nprint(len(find(given)))\n",
    "either": "given = Facade(Make()) if engine else Make()\nprint(len(find(given)))\n",
    "factory": "def make():\n    return Facade(Make())\nprint(len(find(make())))\n",
    "annotated-factory": "def make() -> Session:\n    return Facade(Make())\n"
    "print(len(find(make())))\n",
    "cast": "from typing import cast\nprint(len(find(cast(Session, Facade(Make())))))\n",
    "partial": "from functools import partial\nprint(len(partial(find, Facade(Make()))()))\n",
    "mapped": "print(len(list(map(find, [Facade(Make())]))[0]))\n",
    "pool": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor() as pool:\n"
    "    print(len(pool.submit(find, Facade(Make())).result()))\n",
    "thread": "from threading import Thread\n"
    "thread = Thread(target=find, args=(Facade(Make()),))\nthread.start()\nthread.join()\n",
    "manager": "from contextlib import contextmanager\n@contextmanager\ndef opened():\n"
    "    yield Facade(Make())\nwith opened() as given:\n    print(len(find(given)))\n",
    "handed-through": "def outer(db: Session):\n    return find(db)\n"
    "print(len(outer(Facade(Make()))))\n",
    "beside-a-session": "print(len(find(Make())))\nprint(len(find(Facade(Make()))))\n",
    "among-sessions": "for given in (Make(), Facade(Make())):\n    print(len(find(given)))\n",
}  # fmt: skip
KEPT = {
    "attribute": "class Service:\n    def __init__(self, db: Session):\n        self.db = db\n"
    "    def find(self):\n        return self.db.query(Shop).all()\n"
    "print(len(Service(Facade(Make())).find()))\n",
    "inherited-attribute": "class First:\n    def __init__(self, db: Session):\n"
    "        self.db = db\nclass Service(First):\n    def find(self):\n"
    "        return self.db.query(Shop).all()\nprint(len(Service(Facade(Make())).find()))\n",
    "field": "from dataclasses import dataclass\n@dataclass\nclass Service:\n    name: str\n"
    "    db: Session\n    def find(self):\n        return self.db.query(Shop).all()\n"
    "print(len(Service('a', Facade(Make())).find()))\n",
    "named-field": "from typing import NamedTuple\nclass Service(NamedTuple):\n    db: Session\n"
    "    def find(self):\n        return self.db.query(Shop).all()\n"
    "print(len(Service(db=Facade(Make())).find()))\n",
    "property": "class Service:\n    @property\n    def db(self) -> Session:\n"
    "        return Facade(Make())\n    def find(self):\n"
    "        return self.db.query(Shop).all()\nprint(len(Service().find()))\n",
    "default": "def other(db: Session = Facade(Make())):\n    return db.query(Shop).all()\n"
    "print(len(other()))\n",
    "keyword-only": "def other(*, db: Session):\n    return db.query(Shop).all()\n"
    "print(len(other(db=Facade(Make()))))\n",
    "optional": "def other(db: Session | None = None):\n"
    "    return (db or Make()).query(Shop).all()\nprint(len(other(Facade(Make()))))\n",
    "annotated-as-text": "def other(db: 'Session'):\n    return db.query(Shop).all()\n"
    "print(len(other(Facade(Make()))))\n",
    "variable-annotated": "given: Session = Facade(Make())\ndef other():\n"
    "    return given.query(Shop).all()\nprint(len(other()))\n",
    "method": "class Service:\n    def find(self, db: Session):\n"
    "        return db.query(Shop).all()\nprint(len(Service().find(Facade(Make()))))\n",
    "returned-query": "def shops(db: Session):\n    return db.query(Shop)\n"
    "def other(db: Session):\n    return shops(db).filter(Shop.id > 1).all()\n"
    "print(len(other(Facade(Make()))))\n",
    "kept-query": "def other(db: Session):\n    shops = db.query(Shop)\n"
    "    return shops.filter(Shop.id > 1).all()\nprint(len(other(Facade(Make()))))\n",
    "bulk": "def other(db: Session):\n    return db.query(Shop).filter(Shop.id > 9).delete()\n"
    "print(other(Facade(Make())))\n",
    "get": "def other(db: Session):\n    return db.query(Shop).get(2).name\n"
    "print(other(Facade(Make())))\n",
}
INJECTED = """\
from typing import Annotated, Iterator

import asyncio

import httpx
from fastapi import Depends, FastAPI

app = FastAPI()


def get_db(){returns}:
    {gives}


Db = Annotated[Session, Depends(get_db)]


@app.get("/")
def shops({parameter}) -> int:
    return len(db.query(Shop).all())


{overrides}
async def asked():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return (await client.get("/")).text


print(asyncio.run(asked()))
"""
PARAMETERS = {
    "default": "db: Session = Depends(get_db)",
    "annotated": "db: Annotated[Session, Depends(get_db)]",
    "alias": "db: Db",
}
OVERRIDES = {
    "lambda": "app.dependency_overrides[get_db] = lambda: Facade(Make())",
    "generator": "def other() -> Iterator[Session]:\n    yield Facade(Make())\n"
    "app.dependency_overrides[get_db] = other",
    "none": "",
}
TESTS = {
    "parametrized": '@pytest.mark.parametrize("db", [Facade(Make())])\n'
    "def test_shops(db):\n    assert len(find(db)) == 1\n",
    "parametrized-several": '@pytest.mark.parametrize("n, db", [(1, Facade(Make()))])\n'
    "def test_shops(n, db):\n    assert len(find(db)) == n\n",
    "parametrized-param": '@pytest.mark.parametrize(["db"], [pytest.param(Facade(Make()))])\n'
    "def test_shops(db):\n    assert len(find(db)) == 1\n",
    "fixture": "@pytest.fixture\ndef db():\n    yield Facade(Make())\n"
    "def test_shops(db):\n    assert len(find(db)) == 1\n",
    "settings": "def test_shops():\n    given = dict(db=Facade(Make()))\n"
    "    assert len(find(**given)) == 1\n",
    "loop": "def test_shops():\n    for db in [Facade(Make())]:\n"
    "        assert len(find(db)) == 1\n",
    "overridden-attribute": "class Other(Service):\n    db = Facade(Make())\n"
    "def test_shops():\n    assert len(Other().find()) == 2\n",
}
SERVICE = """\
class Service:
    db: Session

    def find(self):
        return self.db.query(Shop).all()
"""
SAFE = {
    "session": "print(len(find(Make())))\n",
    "facade-elsewhere": "def count(things):\n    return things.query(Shop).count()\n"
    "print(count(Facade(Make())), len(find(Make())))\n",
    "opened": "with Make() as db:\n    print(len(find(Facade(db).inner)))\n",
    "subclass": "class Other(Session):\n    def shops(self):\n        return 1\n"
    "print(len(find(Other(engine))))\n",
    "forwarding": "class Proxy:\n    def __init__(self, inner):\n        self.inner = inner\n"
    "    def __getattr__(self, name):\n        return getattr(self.inner, name)\n"
    "print(len(find(Proxy(Make()))))\n",
}


def program(text, tests=""):
    files = {"program.py": text.encode(), "tests/test_program.py": tests.encode()}
    return run_case(
        Case(
            name="it",
            family="sqlalchemy",
            rule="query-to-select",
            directory=Path(),
            settings=Settings(published=False),
            before=files,
            after=files,
            program={},
        )
    )


def levels(result, name):
    """Return the levels of the findings of queries that stand in the function ``name``."""
    return [one.level for one in result.report.findings if one.scope == name]


@pytest.fixture
def is_the_same(tmp_path, capsys, monkeypatch):
    """Return a function that says whether both sides of a result print the same."""

    def runs_alike(result):
        sides = [result.case.before["program.py"], result.files["program.py"]]
        before, after = (
            printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
            for at, side in zip(("before", "after"), sides, strict=True)
        )
        return before == after

    return runs_alike


@pytest.mark.parametrize("kind", OBJECTS)
def test_whatever_has_a_query_of_its_own_is_no_session(kind, is_the_same):
    result = program(SHOP + OBJECTS[kind] + GIVEN["positional"])

    assert levels(result, "find") == [Level.MANUAL]
    assert is_the_same(result)


@pytest.mark.parametrize("way", GIVEN)
@pytest.mark.parametrize("kind", ["method", "assigned"])
@pytest.mark.sampled(4)
def test_every_way_to_hand_one_in_is_seen(way, kind, is_the_same):
    result = program(SHOP + OBJECTS[kind] + GIVEN[way])

    assert levels(result, "find") == [Level.MANUAL]
    assert is_the_same(result)


@pytest.mark.parametrize("way", KEPT)
def test_where_a_session_is_annotated_it_may_be_one(way, is_the_same):
    result = program(SHOP + FACADE + KEPT[way])

    found = [one for one in result.report.findings if one.scope not in {"find", "Facade.query"}]
    assert {one.level for one in found} == {Level.MANUAL}
    assert levels(result, "find") == [Level.SAFE]
    assert is_the_same(result)


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("override", OVERRIDES)
@pytest.mark.parametrize("returns", ["", " -> Session", " -> Iterator[Session]"])
@pytest.mark.sampled(3)
def test_what_is_injected_is_what_the_program_gives(parameter, override, returns, is_the_same):
    given = "Make()" if override != "none" else "Facade(Make())"
    gives = "return" if returns == " -> Session" else "yield"
    text = INJECTED.format(
        returns=returns,
        gives=f"{gives} {given}",
        parameter=PARAMETERS[parameter],
        overrides=OVERRIDES[override],
    )
    result = program(SHOP + FACADE + text)

    assert levels(result, "shops") == [Level.MANUAL]
    assert is_the_same(result)


@pytest.mark.parametrize("way", TESTS)
def test_what_tests_hand_in_counts_as_well(way):
    tests = "import pytest\nfrom program import *\n" + FACADE + TESTS[way]
    result = program(SHOP + SERVICE, tests=tests)

    found = [one for one in result.report.findings if one.level == Level.MANUAL]
    wanted = "Service.find" if "attribute" in way else "find"
    assert wanted in [one.scope for one in found if one.place.path == "program.py"]


@pytest.mark.parametrize("way", SAFE)
def test_where_nothing_hands_one_in_a_session_is_one(way, is_the_same):
    result = program(SHOP + FACADE + SAFE[way])

    assert levels(result, "find") == [Level.SAFE]
    assert is_the_same(result)


def test_the_call_that_hands_one_in_is_named():
    text = (
        SHOP + FACADE + "def outer(db: Session):\n    return find(db)\n\n\nouter(Facade(Make()))\n"
    )
    result = program(text)

    (found,) = (one for one in result.report.findings if one.scope == "find")
    assert "`outer(Facade(Make()))` gives an instance of `Facade`" in found.message
    (place,) = found.related
    assert text[place.span.start : place.span.end] == "outer(Facade(Make()))"


def test_a_session_class_that_overrides_query_is_said_of_every_session():
    text = SHOP + OBJECTS["subclass-of-session"] + "Other = sessionmaker(engine, class_=Facade)\n"
    result = program(text)

    assert levels(result, "find") == [Level.UNSAFE]

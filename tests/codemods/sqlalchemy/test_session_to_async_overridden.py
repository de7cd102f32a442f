"""What tests inject by `app.dependency_overrides`: it gives what can be awaited afterwards."""

from __future__ import annotations

import warnings

import pytest
from planned import printed, rewritten

SHOP = """\
from collections.abc import Iterator

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def get_db() -> Iterator[Session]:
    db = LocalSession()
    try:
        yield db
    finally:
        db.close()


class Counter:
    def __init__(self, db: Session = Depends(get_db)) -> None:
        self.db = db

    def count(self) -> int:
        return self.db.scalar(select(func.count(User.id)))


def get_counter(db: Session = Depends(get_db)) -> Counter:
    return Counter(db)


app = FastAPI()


@app.get("/count")
def count(counter: Counter = Depends()) -> int:
    return counter.count()


@app.get("/made")
def made(counter: Counter = Depends(get_counter)) -> int:
    return counter.count()


@app.get("/users/{key}")
def user(key: int, db: Session = Depends(get_db)) -> int:
    return db.get(User, key).id
"""

TEST = """\
from unittest.mock import MagicMock

from fastapi.testclient import TestClient

import shop
from shop import app


class Fake:
    def count(self) -> int:
        return 42


def fake() -> Fake:
    return Fake()


def test_it():
    counter = MagicMock()
    counter.count.return_value = 42
    db = MagicMock()
    db.get.return_value = shop.User(id=42)

    def given():
        yield db

    {override}
    with TestClient(app) as client:
        print(client.get("{path}").json())


if __name__ == "__main__":
    test_it()
"""


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("app.dependency_overrides[shop.Counter] = Fake", "/count"),
        ("app.dependency_overrides[shop.Counter] = fake", "/count"),
        ("app.dependency_overrides[shop.Counter] = lambda: Fake()", "/count"),
        ("app.dependency_overrides = {shop.Counter: Fake}", "/count"),
        ("app.dependency_overrides.update({shop.Counter: Fake})", "/count"),
        ("app.dependency_overrides[shop.get_counter] = Fake", "/made"),
        ("app.dependency_overrides[shop.get_counter] = lambda: counter", "/made"),
        ("app.dependency_overrides[shop.Counter] = lambda: counter", "/count"),
        ("app.dependency_overrides[shop.get_db] = lambda: db", "/users/1"),
        ("app.dependency_overrides[shop.get_db] = given", "/users/1"),
    ],
)
@pytest.mark.sampled(4)
def test_what_is_injected_can_be_awaited(override, path, tmp_path, capsys, monkeypatch):
    texts = {"shop": SHOP, "test_shop": TEST.format(override=override, path=path)}
    files = {f"{name}.py": text.encode() for name, text in texts.items()}
    after = rewritten(**texts).files
    assert b"AsyncSession" in after["shop.py"]
    for number, side in enumerate((files, after)):
        # Which client of HTTP the test client prefers does not matter here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown = printed("test_shop.py", side, tmp_path / str(number), capsys, monkeypatch)
        assert shown == "42\n"


ROLES = """

def require(role: str):
    def dependency(db: Session = Depends(get_db)) -> int:
        return db.scalar(select(func.count(User.id)))

    return dependency


def add_route(application: FastAPI) -> None:
    @application.get("/roles")
    def roles(count: int = Depends(require("admin"))) -> int:
        return count
"""
CALLS = """

@app.get("/called")
def called() -> int:
    return require("admin")(None)
"""

GIVES = """\
import shop
import pytest
from fastapi.testclient import TestClient
from unittest.mock import patch
from shop import LocalSession, User, engine


@pytest.fixture
def client(monkeypatch):
    shop.Base.metadata.create_all(engine)

    def some():
        with LocalSession() as db:
            return db.get(User, 1)

    {replaces}
    yield TestClient(shop.app)
"""
RETURNS = {
    "an assignment": "shop.require = lambda role: some",
    "setattr": 'monkeypatch.setattr(shop, "require", lambda role: some)',
    "a mock": 'patch("shop.require", return_value=some).start()',
}


@pytest.mark.parametrize("replaces", RETURNS.values(), ids=RETURNS)
@pytest.mark.parametrize("calls", ["", CALLS], ids=["depended on", "called"])
@pytest.mark.sampled(6)
def test_what_a_stand_in_returns_is_awaited_where_only_the_framework_calls_it(replaces, calls):
    after = rewritten(shop=SHOP + ROLES + calls, test_shop=GIVES.format(replaces=replaces)).files

    # The program may call it: then what the stand-in returns is not followed.
    assert (b"async def some" in after.get("test_shop.py", b"")) == (not calls)

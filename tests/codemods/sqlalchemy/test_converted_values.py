"""What a column makes of a value of another type is what is read behind a commit."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from random import randint

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str | None]


engine = create_engine("sqlite://")


class Items:
    def __init__(self, db: Session) -> None:
        self.db = db

    def renew(self) -> object:
        item = self.db.scalars(select(Item)).one()
        item.version = {given}
        self.db.commit()
        return item.version


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add(Item(id=1))
        db.commit()
        print(repr(Items(db).renew()))


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("given", ["randint(7, 7)", '"seven"', "None"])
def test_it_is_what_the_database_has(given, tmp_path, capsys, monkeypatch):
    text = SHOP.replace("{given}", given)
    result = rewritten(shop=text)
    assert {one.reason for one in result.report.findings} == {None}
    is_anew = b'refresh(item, attribute_names=["version"])' in result.files["shop.py"]
    assert is_anew == (given == "randint(7, 7)")
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]


ACCOUNTS = """\
import enum
from decimal import Decimal

from sqlalchemy import Column, Enum, Integer, Numeric, String, create_engine, select
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Role(str, enum.Enum):
    admin = "admin"
    guest = "guest"


class Account(Base):
    __tablename__ = "accounts"
    id = Column(Integer, primary_key=True)
    role = Column(Enum(Role), nullable=False)
    price = Column(Numeric(10, 2), nullable=False)
    name = Column(String)


engine = create_engine("sqlite://")


def added(db: Session) -> list[Account]:
    data = [{"role": "admin", "price": 1.5}, {"role": "guest", "price": Decimal(2)}]
    accounts = [Account(**each) for each in data]
    db.add_all(accounts)
    db.commit()
    return {given}


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        for account in added(db):
            print(repr(account.role), repr(account.price))


if __name__ == "__main__":
    main()
"""


MADE = """\
    given = {"role": "guest", "price": 3, "name": "ann"}
    guest = Account(**given)
    db.add(guest)
    db.commit()
    return [guest]"""


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("accounts", 'await db.refresh(item, attribute_names=["price", "role"])'),
        ("db.scalars(select(Account)).all()", 'execution_options={"populate_existing": True}'),
        ('[Account(role="guest", price=3, name=role) for role in Role]', ""),
    ],
)
def test_what_dictionaries_give_to_new_objects(given, line, tmp_path, capsys, monkeypatch):
    text = ACCOUNTS.replace("{given}", given)
    result = rewritten(shop=text)
    assert line.encode() in result.files["shop.py"]
    assert bool(line) == (
        b"refresh" in result.files["shop.py"] or b"populate" in result.files["shop.py"]
    )
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]


def test_what_one_dictionary_gives_to_a_new_object(tmp_path, capsys, monkeypatch):
    text = ACCOUNTS.replace("    return {given}", MADE)
    result = rewritten(shop=text)
    assert b'refresh(guest, attribute_names=["price", "role"])' in result.files["shop.py"]
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]


def test_a_value_that_is_changed_again_is_not_reloaded(tmp_path, capsys, monkeypatch):
    text = SHOP.replace("{given}", "7").replace(
        "        return item.version", "        item.version = 8\n        return item.version"
    )
    result = rewritten(shop=text)
    assert b"refresh" not in result.files["shop.py"]
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]


ADDED = """\
from sqlalchemy import Column, Integer, Numeric, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    price = Column(Numeric(10, 2), nullable=False)


engine = create_engine("sqlite://")


def preview(db: Session, keep: bool) -> None:
    item = Item(price=1.5)
    other = Item(price=2)
    db.add(other)
    if keep:
        db.add(item)
    db.commit()
    print(repr(item.price), repr(other.price))


def never(db: Session) -> list[Item]:
    items = [Item(price=1.5)]
    db.commit()
    return items


def make(db: Session, price) -> Item:
    item = Item(price=price)
    db.add(item)
    return item


def called(db: Session) -> None:
    item = make(db, 2.5)
    db.commit()
    print(repr(item.price))


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        preview(db, True)
        preview(db, False)
        print([repr(item.price) for item in never(db)])
        called(db)


if __name__ == "__main__":
    main()
"""


def test_an_object_that_nothing_added_keeps_its_value(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=ADDED)
    assert b"refresh(other, " in result.files["shop.py"]
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": ADDED.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]

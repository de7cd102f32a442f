"""Generators that are unpacked, and calls by the name of one whose items cannot be."""

from __future__ import annotations

from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

SHOP = """\
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@dataclass
class Line:
    text: str


class Listed(ABC):
    @abstractmethod
    def items(self) -> Iterator[Line]: ...


class Report(Listed):
    def __init__(self, db: Session) -> None:
        self.db = db

    def items(self) -> Iterator[Line]:
        for item in self.db.scalars(select(Item).order_by(Item.id)):
            yield Line(item.name)


def made(db: Session, name: str) -> Item:
    item = Item(name=name)
    db.add(item)
    db.flush()
    return item


def shown(prices) -> list[str]:
    return [f"{name}: {price}" for name, price in prices.items()]
"""
MAIN = """\
import json

from shop import Base, Report, engine, made, shown
from sqlalchemy.orm import Session


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        first, second = (made(db, name) for name in ["tea", "cup"])
        print(first.id, second.id)
        [third] = (made(db, name) for name in ["pot"])
        print(third.name)
        print([line.text for line in Report(db).items()])
        try:
            first, second = (made(db, name) for name in ["one"])
        except ValueError as error:
            print(error)
    print(shown(json.loads('{"tea": 3}')))


if __name__ == "__main__":
    main()
"""


# Decoded JSON is known to be no object of the program; what a library returns may be one.
UNKNOWN = MAIN.replace("import json", "import outside").replace(
    """json.loads('{"tea": 3}')""", "outside.prices()"
)


def test_a_generator_that_waits_is_unpacked_as_a_list(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=SHOP, main=MAIN)
    assert "first, second = [await made(" in result.files["main.py"].decode()
    before = {"shop.py": SHOP.encode(), "main.py": MAIN.encode()}
    expected = printed("main.py", before, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("main.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == expected
    assert expected.count("\n") == 5


def test_a_mapping_is_told_from_a_generator_of_objects_by_its_pairs():
    assert (
        "for name, price in prices.items()"
        in rewritten(shop=SHOP, main=MAIN).files["shop.py"].decode()
    )


def test_a_generator_of_pairs_may_be_what_is_called():
    pairs = SHOP.replace("yield Line(item.name)", "yield (item.name, item.id)")
    found = session_to_async({"shop.py": pairs, "main.py": UNKNOWN}).findings
    assert "unknown-call" in {reason_of(one) for one in found}


def test_objects_that_have_items_may_be_unpacked():
    iterable = SHOP.replace(
        "    text: str\n", "    text: str\n\n    def __iter__(self):\n        return iter('ab')\n"
    )
    found = session_to_async({"shop.py": iterable, "main.py": UNKNOWN}).findings
    assert "unknown-call" in {reason_of(one) for one in found}

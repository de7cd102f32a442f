"""Many reads behind a rollback in one file: a function of it loads what is expired."""

from __future__ import annotations

from planned import forgotten_coroutines, printed, rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
"""
SHOP = """\
from dataclasses import dataclass

from database import Base, Item, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


@dataclass
class Box:
    item: Item


def one(db: Session, item: Item) -> str:
    item.name = "lost"
    db.rollback()
    return item.name


def two(db: Session, item: Item, other: Item) -> str:
    db.rollback()
    return f"{item.name} {other.name}"


def maybe(db: Session, item: Item | None) -> str:
    db.rollback()
    return item.name if item else "none"


def many(db: Session) -> list[str]:
    items = list(db.scalars(select(Item).order_by(Item.id)).all())
    db.rollback()
    return [item.name for item in items]


def boxed(db: Session, item: Item, box: Box) -> str:
    db.rollback()
    return item.name + box.item.name


def main() -> None:
    with Session(engine) as db:
        Base.metadata.create_all(db.get_bind())
        db.add_all([Item(id=1, name="pen"), Item(id=2, name="cup")])
        db.commit()
        pen = db.scalars(select(Item).where(Item.id == 1)).one()
        cup = db.scalars(select(Item).where(Item.id == 2)).one()
        print(one(db, pen), two(db, pen, cup), maybe(db, pen), maybe(db, None))
        print(many(db), boxed(db, pen, Box(cup)))


if __name__ == "__main__":
    main()
"""
ONE = """\
async def one(db: AsyncSession, item: Item) -> str:
    item.name = "lost"
    await db.rollback()
    await load_expired(db, item)
    return item.name
"""


def test_a_function_loads_what_many_places_read(tmp_path, capsys, monkeypatch):
    result = rewritten(database=DATABASE, shop=SHOP)
    after = result.files["shop.py"].decode()

    assert after.count("async def load_expired(session: Any, *objects: object) -> None:") == 1
    assert after.count(").expired:") == 1
    assert ONE in after
    assert "    await load_expired(db, item, other)\n" in after
    assert "    await load_expired(db, *items)\n" in after
    # What leads to the other object is read when the first is loaded.
    assert "    await load_expired(db, item)\n    await load_expired(db, box.item)\n" in after
    with forgotten_coroutines():
        said = [
            printed("shop.py", files, tmp_path / name, capsys, monkeypatch)
            for name, files in (("before", result.case.before), ("after", result.files))
        ]
    assert said[0] == said[1] == "pen pen cup pen none\n['pen', 'cup'] pencup\n"


def test_a_few_places_ask_themselves():
    start, end = SHOP.index("def two"), SHOP.index("def many")
    few = SHOP[:start] + SHOP[end : SHOP.index("def boxed")]

    after = rewritten(database=DATABASE, shop=few).files["shop.py"].decode()

    assert "load_expired" not in after
    assert after.count(").expired:\n") == 2

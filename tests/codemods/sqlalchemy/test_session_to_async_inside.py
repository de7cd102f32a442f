"""Constructors of mapped classes that query, and listeners: plain, inside of `run_sync`."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

DATABASE = """\
from functools import wraps

from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.session import object_session

engine = create_engine("sqlite:///shop.db")


class Base(DeclarativeBase):
    pass


def found_or_made(session: Session, kind, given: list[dict]):
    found = []
    for one in given:
        known = session.execute(select(kind).filter_by(name=one["name"])).scalars().one_or_none()
        found.append(known or kind(session=session, **one))
    return found


def from_values():
    def decorator(init):
        @wraps(init)
        def wrapper(self, *args, **kwargs):
            session: Session = kwargs.get("session", None)
            if session is None:
                raise ValueError("a session is needed")
            for key, value in kwargs.items():
                if key in type(self).__mapper__.relationships:
                    kind = type(self).__mapper__.relationships[key].mapper.entity
                    setattr(self, key, found_or_made(session, kind, value))
                elif key in type(self).__mapper__.columns:
                    setattr(self, key, value)
            return init(self, *args, **kwargs)

        return wrapper

    return decorator


class Updated:
    def update(self, *args, **kwargs):
        self.__init__(*args, **kwargs)


class Tag(Base, Updated):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))

    @from_values()
    def __init__(self, **_) -> None:
        pass


class Item(Base, Updated):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    number: Mapped[int]
    tags: Mapped[list[Tag]] = relationship(lazy="selectin")

    @from_values()
    def __init__(self, session: Session, name: str, **_) -> None:
        known = session.scalars(select(Item.id)).all()
        self.number = len(known)


class Change(Base):
    __tablename__ = "changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def noted(session: Session, text: str):
    if session.scalar(select(Change).where(Change.text == text)) is None:
        session.add(Change(text=text))


@event.listens_for(Item, "after_insert")
@event.listens_for(Item, "after_update")
def note(_, connection, target: Item):
    session = Session(bind=connection)
    noted(session, target.name)
    session.commit()
"""
SERVICE = """\
from database import Base, Change, Item, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


class Items:
    def __init__(self, session: Session, model: type[Item]):
        self.session = session
        self.model = model

    def create(self, data: dict) -> Item:
        item = self.model(session=self.session, **data)
        self.session.add(item)
        self.session.commit()
        return item

    def create_many(self, given: list[dict]) -> list[Item]:
        items = [Item(session=self.session, **data) for data in given]
        self.session.add_all(items)
        self.session.commit()
        return items

    def rename(self, number: int, name: str) -> Item:
        item = self.session.scalars(select(Item).where(Item.number == number)).one()
        item.update(session=self.session, name=name, tags=[{"name": "renamed"}])
        self.session.commit()
        return item


def main() -> None:
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        items = Items(session, Item)
        items.create({"name": "one", "tags": [{"name": "new"}, {"name": "cheap"}]})
        items.create_many([{"name": "two", "tags": [{"name": "cheap"}]}, {"name": "three"}])
        items.rename(0, "first")
    with Session(engine) as session:
        for item in session.scalars(select(Item).order_by(Item.id)):
            print(item.id, item.name, item.number, sorted(tag.name for tag in item.tags))
        print(sorted(session.scalars(select(Change.text))))


if __name__ == "__main__":
    main()
"""


def test_what_constructors_ask_for_is_asked_for_in_a_greenlet(tmp_path, capsys, monkeypatch):
    result = rewritten(database=DATABASE, service=SERVICE)
    service = result.files["service.py"].decode()
    assert "await self.session.run_sync(" in service
    # Models, their helpers and listeners are given synchronous sessions as before.
    assert DATABASE.partition("class Base")[2] in result.files["database.py"].decode()
    monkeypatch.chdir(tmp_path)
    before = {"database.py": DATABASE.encode(), "service.py": SERVICE.encode()}
    expected = printed("service.py", before, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("service.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == expected
    assert expected.count("\n") == 4


SHELVES = """\
from functools import wraps

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///shop.db")


class Base(DeclarativeBase):
    pass


def with_session(init):
    @wraps(init)
    def wrapper(self, *args, **kwargs):
        if kwargs.get("session") is None:
            raise ValueError("a session is needed")
        return init(self, *args, **kwargs)

    return wrapper


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    def __init__(self, name: str, **_) -> None:
        self.name = name


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))
    shelf: Mapped["Shelf | None"] = relationship()
    notes: Mapped[list["Note"]] = relationship()

    @with_session
    def __init__(self, session: Session, name: str, **kwargs) -> None:
        self.name = name
        self.shelf = session.scalars(select(Shelf).where(Shelf.name == name)).one_or_none()
        #


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))


class Repository:
    def __init__(self, session: Session, model: type[Item]) -> None:
        self.session = session
        self.model = model

    def create(self, data: dict) -> int:
        try:
            row = self.model(session=self.session, **data)
            self.session.add(row)
            self.session.commit()
        except Exception:
            self.session.rollback()
            raise
        return row.id


def show(session: Session, key: int) -> None:
    item = session.get(Item, key)
    if item is not None:
        print(item.name, item.shelf.name if item.shelf else None, len(item.notes))


def main() -> None:
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Shelf(name="one"))
        numbers = [Repository(session, Item).create({"name": name}) for name in ("one", "two")]
    with Session(engine) as session:
        for number in numbers:
            show(session, number)


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    "line",
    [
        "self.notes = []",
        "self.notes.append(Note())",
        "self.notes += [Note(), Note()]",
        "self.name = f'{name} {len(self.notes)}'",
        "self.name = f'{name} of {self.shelf and self.shelf.name}'",
    ],
)
def test_what_constructors_read_after_a_write_loads_by_itself(line, tmp_path, capsys, monkeypatch):
    shop = SHELVES.replace("        #\n", f"        {line}\n")
    result = rewritten(shop=shop)
    after = result.files["shop.py"].decode()
    assert f".one_or_none()\n        {line}\n" in after
    assert "await self.session.run_sync(" in after
    monkeypatch.chdir(tmp_path)
    files = {"shop.py": shop.encode()}
    expected = printed("shop.py", files, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        assert printed("shop.py", result.files, tmp_path / "after", capsys, monkeypatch) == expected
    assert expected.count("\n") == 2


def test_what_was_migrated_is_not_migrated_again():
    once = rewritten(database=DATABASE, service=SERVICE)
    texts = {name: text.decode() for name, text in once.files.items()}
    assert not session_to_async(texts).findings


def test_what_makes_an_object_without_a_session_stays_as_it_is():
    plain = SERVICE.replace(
        "        items.rename(0,", "        other = Item(name='x')\n        items.rename(0,"
    )
    assert (
        "        other = Item(name='x')"
        in rewritten(database=DATABASE, service=plain).files["service.py"].decode()
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # It keeps the session.
        (
            "        known = session.scalar",
            "        self.held = session\n        known = session.scalar",
        ),
        # It asks another one than that which it is given.
        (
            "        known = session.scalar",
            "        known = Session(engine).scalar",
        ),
    ],
)
def test_a_constructor_that_is_more_than_given_a_session_is_refused(before, after):
    # Without a session nothing in sight makes the object in `run_sync`.
    service = SERVICE.replace(
        "        items.rename(0,", "        Item(name='x')\n        items.rename(0,"
    )
    changed = DATABASE.replace(before, after)
    assert changed != DATABASE
    found = session_to_async({"database.py": changed, "service.py": service}).findings
    assert "in-constructor" in {reason_of(one) for one in found}


def test_what_may_pass_a_session_among_others_is_refused():
    service = SERVICE.replace(
        "Item(session=self.session, **data) for", "Item(**{'session': self.session}, **data) for"
    )
    found = session_to_async({"database.py": DATABASE, "service.py": service}).findings
    assert "in-constructor" in {reason_of(one) for one in found}


def test_a_listener_of_what_needs_no_flush_is_refused():
    changed = DATABASE.replace('@event.listens_for(Item, "after_update")\n', "").replace(
        '"after_insert"', '"init"'
    )
    found = session_to_async({"database.py": changed, "service.py": SERVICE}).findings
    assert "decorated" in {reason_of(one) for one in found}


CONTEXT = """\
from alembic.runtime import migration
from sqlalchemy import create_engine

engine = create_engine("sqlite:///shop.db")


def heads() -> set[str]:
    with engine.begin() as connection:
        context = migration.MigrationContext.configure(connection)
        return set(context.get_current_heads())
"""


def test_a_migration_context_reads_inside_of_its_connection():
    after = "".join(rewritten(heads=CONTEXT).files["heads.py"].decode().split())
    inside = "awaitconnection.run_sync(lambdaconnection:"
    assert f"{inside}migration.MigrationContext.configure(connection))" in after
    assert f"return{inside}set(context.get_current_heads()))" in after

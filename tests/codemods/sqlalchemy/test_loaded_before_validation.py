"""What a schema reads in a greenlet behind a commit is what the database has."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelves.id"))


class BookOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int


class ShelfOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    books: list[BookOut]


def statement(schema):
    return select(Shelf).options(*schema.options)


ShelfOut.options = []


class Shelves:
    def __init__(self, db: Session, schema: type[BaseModel]) -> None:
        self.db = db
        self.schema = schema

    def one(self, number: int) -> BaseModel:
        found = self.db.execute(statement(self.schema).filter_by(id=number)).scalars().one()
        return self.schema.model_validate(found)


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        shelf = Shelf(id=1, books=[Book(id=1), Book(id=2)])
        db.add(shelf)
        db.commit()
        shelves = Shelves(db, ShelfOut)
        print(shelves.one(1))
        db.execute(text("DELETE FROM books WHERE id = 2"))
        db.commit()
        print(shelves.one(1), shelf.id)


if __name__ == "__main__":
    main()
"""


def test_it_is_what_the_database_has(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=SHOP)
    assert {one.reason for one in result.report.findings} == {None}
    written = result.files["shop.py"].decode()
    assert '"populate_existing": True' in written
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": SHOP.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]
    assert out[0].splitlines()[1].startswith("books=[BookOut(id=1)] 1")


ENDPOINT = """

from fastapi import Depends, FastAPI

app = FastAPI()
SCHEMAS: dict[str, type[BaseModel]] = {"shelf": ShelfOut}


def get_db():
    with Session(engine) as db:
        yield db


@app.get("/{number}")
def one(number: int, db: Session = Depends(get_db)):
    SEEN
    found = db.execute(statement(SCHEMAS["shelf"]).filter_by(id=number)).scalars().one()
    return SCHEMAS["shelf"].model_validate(found)


def alone(number: int):
    with Session(engine) as db:
        found = db.execute(statement(SCHEMAS["shelf"]).filter_by(id=number)).scalars().one()
        return SCHEMAS["shelf"].model_validate(found)


def given(db: Session, number: int):
    found = db.execute(statement(SCHEMAS["shelf"]).filter_by(id=number)).scalars().one()
    return SCHEMAS["shelf"].model_validate(found)


def many():
    with Session(engine) as db:
        return [given(db, number) for number in (1, 2)]
"""


@pytest.mark.parametrize(
    ("seen", "endpoint"),
    [("pass", False), ("shelf = db.get(Shelf, 2); db.commit(); print(shelf.id)", True)],
)
def test_a_session_that_begins_there_has_nothing_from_before(seen, endpoint):
    text = SHOP.partition("def main()")[0] + ENDPOINT.replace("SEEN", seen)
    written = rewritten(shop=text).files["shop.py"].decode()
    functions = {one.partition("(")[0]: one for one in written.split("async def ")}
    anew = {name: "populate_existing" in body for name, body in functions.items()}

    assert (anew["one"], anew["alone"], anew["given"]) == (endpoint, False, True)

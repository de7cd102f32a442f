"""A part of a program that uses connections alone, beside one that loads objects."""

from __future__ import annotations

from planned import session_to_async

from awaken.contract import Level

MODELS = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")

    def __repr__(self):
        return f"Author({self.books})"


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")
"""
SCRIPT = """\
from sqlalchemy import create_engine, text


def add_column():
    engine = create_engine("sqlite:///shop.db")
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE books ADD COLUMN title TEXT"))
        connection.commit()


if __name__ == "__main__":
    add_column()
"""
API = """\
from sqlalchemy import select

from models import Author, LocalSession


def show():
    with LocalSession() as db:
        return [repr(author) for author in db.scalars(select(Author))]
"""
STOPPED = "\n\nclass Shelf:\n    def __len__(self):\n        return len(show())\n"


def levels(api: str, script: str = SCRIPT):
    """Return the levels of what is said of each file."""
    texts = {"models.py": MODELS, "script.py": script, "api.py": api}
    found = session_to_async(texts).findings
    return {path: {one.level for one in found if one.place.path == path} for path in texts}


def test_it_is_migrated_without_what_objects_load():
    found = levels(API + STOPPED)

    assert found["script.py"] == {Level.UNSAFE}
    assert found["models.py"] == found["api.py"] == {Level.MANUAL}


def test_what_objects_load_goes_with_what_loads_them():
    found = levels(API)

    assert set().union(*found.values()) == {Level.UNSAFE}
    assert all(found.values())


def test_it_loads_objects_itself_with_a_session():
    session = SCRIPT.replace("engine.connect() as connection", "Session(engine) as connection")
    found = levels(API + STOPPED, f"from sqlalchemy.orm import Session\n{session}")

    assert Level.UNSAFE in found["models.py"]

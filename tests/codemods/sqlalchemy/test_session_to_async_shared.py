"""Sessions that a test shares with requests, which may close them, and with jobs of a worker."""

from __future__ import annotations

import pytest
from planned import printed, rewritten

_MODELS = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///{directory}/shop.db")
SessionLocal = sessionmaker(engine, autoflush=False)


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Tag(Base):
    __tablename__ = "tags"
    word_id: Mapped[int] = mapped_column(ForeignKey("words.id"), primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), primary_key=True)
    word: Mapped[Word] = relationship()
    book: Mapped["Book"] = relationship(back_populates="tags")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))
    tags: Mapped[list[Tag]] = relationship(back_populates="book", cascade="{cascade}")

    @property
    def words(self):
        return sorted(one.word.text for one in self.tags)


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(cascade="{cascade}")
"""
_SHOP = """\
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, Book, SessionLocal, Shelf, Tag, Word, engine


def tagged(db: Session) -> list[Tag]:
    return [Tag(word=one) for one in db.scalars(select(Word)).all()]


def filled(db: Session) -> Book:
    book = Book(tags=tagged(db))
    db.add(book)
    db.commit()
    db.refresh(book)
    return book


def shelved(db: Session) -> Shelf:
    shelf = Shelf(books=[Book(tags=tagged(db)), Book()])
    db.add(shelf)
    db.commit()
    db.refresh(shelf)
    return shelf


def main():
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add_all([Word(text="pen"), Word(text="ink")])
        db.commit()
    with SessionLocal() as db:
        print(filled(db).words)
    with SessionLocal() as db:
        print([one.words for one in shelved(db).books])


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("cascade", ["all, delete-orphan", "save-update, refresh-expire"])
def test_what_belongs_to_the_parts_of_a_refreshed_object_is_there(
    cascade, tmp_path, capsys, monkeypatch
):
    models = _MODELS.format(directory=tmp_path, cascade=cascade)
    before = {"models.py": models.encode(), "shop.py": _SHOP.encode()}
    files = rewritten(models=models, shop=_SHOP).files
    shop = files["shop.py"].decode()
    assert 'db.expire(book, ["tags"])' in shop
    assert 'db.expire(shelf, ["books"])' in shop

    synchronous = printed("shop.py", before, tmp_path / "before", capsys, monkeypatch)
    asynchronous = printed("shop.py", files, tmp_path / "after", capsys, monkeypatch)
    assert asynchronous == synchronous == "['ink', 'pen']\n[['ink', 'pen'], []]\n"


_LATER = """

def added(db: Session) -> Shelf:
    shelf = db.scalars(select(Shelf)).one()
    shelf.books.append(Book(tags=tagged(db)))
    db.refresh(shelf)
    return shelf


def dropped(db: Session) -> list[int]:
    shelf = db.scalars(select(Shelf)).one()
    book = db.scalars(select(Book).where(Book.shelf_id == shelf.id)).first()
    db.delete(book)
    db.commit()
    db.refresh(shelf)
    return [book.id, *[one.id for one in shelf.books]]


def main():"""


def test_parts_that_changed_and_deleted_ones_are_as_they_were(tmp_path, capsys, monkeypatch):
    models = _MODELS.format(directory=tmp_path, cascade="all").replace(", autoflush=False", "")
    shop = _SHOP.replace("\n\ndef main():", _LATER).replace(
        "\n\n\nif __name__",
        """
    with SessionLocal() as db:
        print(sorted(one.words for one in added(db).books))
        db.commit()
    with SessionLocal() as db:
        print(dropped(db))


if __name__""",
    )
    before = {"models.py": models.encode(), "shop.py": shop.encode()}
    files = rewritten(models=models, shop=shop).files
    synchronous = printed("shop.py", before, tmp_path / "before", capsys, monkeypatch)
    asynchronous = printed("shop.py", files, tmp_path / "after", capsys, monkeypatch)
    assert asynchronous == synchronous
    assert synchronous.endswith("[[], ['ink', 'pen']]\n[2, 3]\n")


def test_parts_that_a_refresh_leaves_alone_are_not_loaded_again(tmp_path):
    models = _MODELS.format(directory=tmp_path, cascade="save-update, merge")
    shop = rewritten(models=models, shop=_SHOP).files["shop.py"].decode()
    assert "await db.refresh(book)" in shop
    assert "expire(" not in shop


_JOBS = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)


async def count(ctx):
    db: Session = ctx["db"]
    return len(db.scalars(select(Book)).all())
"""
_WORKERS = """\
import pytest
from arq.worker import Worker
from jobs import SessionLocal, count


@pytest.fixture
def session():
    with SessionLocal() as session:
        yield session


@pytest.fixture
async def worker(session):
    async def on_job(ctx):
        {own}ctx["db"] = {given}

    yield Worker(functions=[count], on_job_start=on_job{arguments})
"""


@pytest.mark.parametrize(
    ("own", "given", "arguments", "is_alone"),
    [
        ("", "session", "", True),
        ("own = SessionLocal()\n        ", "own", "", False),
        ("", "session.get_bind()", "", False),
        ("", "session", ", max_jobs=4", False),
        ("", "session", ", **{}", False),
    ],
)
def test_jobs_that_share_a_session_run_one_after_the_other(own, given, arguments, is_alone):
    worker = _WORKERS.replace("{own}", own).replace("{given}", given)
    worker = worker.replace("{arguments}", arguments)
    after = rewritten(jobs=_JOBS, conftest=worker).files["conftest.py"].decode()
    assert ("max_jobs=1" in after) is is_alone

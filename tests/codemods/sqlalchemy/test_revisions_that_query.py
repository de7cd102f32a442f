"""What a revision of Alembic loads stays as it was, whatever objects load from now on."""

from __future__ import annotations

from planned import rewritten

MODELS = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_engine("sqlite:///shop.db")


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
"""
SHOP = """\
from models import Shelf, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


def first() -> Shelf:
    with Session(engine) as db:
        return db.scalars(select(Shelf)).first()


def size(shelf: Shelf) -> int:
    return len(shelf.books)
"""
REVISION = """\
from alembic import op
from models import Base, Book, Shelf
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

revision = "2"
down_revision = "1"


def upgrade():
    session = Session(bind=op.get_bind())
    for shelf in session.scalars(select(Shelf).where(Shelf.id > 1)):
        print(shelf.id)
    for book in session.scalars(select(Book)):
        print(book.id)
"""


def test_a_revision_loads_no_more_than_before():
    result = rewritten(models=MODELS, shop=SHOP, revision=REVISION)
    assert b'relationship(lazy="selectin")' in result.files["models.py"]
    text = result.files["revision.py"].decode()
    assert "select(Shelf).options(lazyload(Shelf.books)).where(Shelf.id > 1)" in text
    assert "select(Book))" in text
    assert "import Mapped, Session, lazyload, mapped_column, relationship" in text

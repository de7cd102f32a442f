"""What a revision of Alembic loads stays as it was, whatever objects load from now on."""

from __future__ import annotations

import pytest
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


BOXES = (
    '    boxes: Mapped[list["Box"]] = relationship()',
    """

class Box(Base):
    __tablename__ = "boxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelves.id"))
""",
)
SERVED = """

def boxes() -> int:
    with Session(engine) as db:
        return sum(len(shelf.boxes) for shelf in db.scalars(select(Shelf)))
"""
IN_ONE = """\
def upgrade():
    session = Session(bind=op.get_bind())
    session.add(Shelf())
    session.commit()
    for shelf in session.scalars(select(Shelf).where(Shelf.id > 1)):
        print(shelf.id)
"""
BY_A_HELPER = """\
def store(session: Session):
    session.add(Shelf())
    session.commit()


def upgrade():
    session = Session(bind=op.get_bind())
    store(session)
    for shelf in session.scalars(select(Shelf).where(Shelf.id > 1)):
        print(shelf.id)
"""
IN_A_HELPER = """\
def show(session: Session):
    for shelf in session.scalars(select(Shelf).where(Shelf.id > 1)):
        print(shelf.id)


def upgrade():
    session = Session(bind=op.get_bind())
    session.add(Shelf())
    session.commit()
    show(session)
"""
IN_A_LOOP = """\
def upgrade():
    session = Session(bind=op.get_bind())
    for number in (1, 2):
        for shelf in session.scalars(select(Shelf).where(Shelf.id > number)):
            session.delete(shelf)
        session.commit()
"""
BY_KEY = """\
def upgrade():
    session = Session(bind=op.get_bind())
    shelf = session.get(Shelf, 1)
    session.commit()
    print(session.get(Shelf, 1), len(shelf.books))
"""


@pytest.mark.parametrize("code", [IN_ONE, BY_A_HELPER, IN_A_HELPER, IN_A_LOOP, BY_KEY])
def test_a_revision_loads_again_by_itself_what_it_commits(code):
    head = REVISION.partition("def upgrade")[0]
    models = MODELS.replace("relationship()", "relationship()\n" + BOXES[0]) + BOXES[1]
    result = rewritten(models=models, shop=SHOP + SERVED, revision=head + code)
    text = result.files["revision.py"].decode()
    assert b"selectinload(Shelf.boxes)" in result.files["shop.py"]
    assert "selectinload" not in text
    assert "populate_existing" not in text
    assert text.count("lazyload(Shelf.books)") == code.count("select(Shelf)")

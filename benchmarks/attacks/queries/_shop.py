"""Authors and their books, as most programs of this folder take them."""

from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, relationship

Base = declarative_base()


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    age = Column(Integer)
    books = relationship("Book", back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String(50))
    score = Column(Integer)
    author_id = Column(ForeignKey("authors.id"))
    author = relationship("Author", back_populates="books")


def opened() -> Session:
    """Return a session on a new database with three authors and four books."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = Session(engine)
    session.add_all(
        [
            Author(id=1, name="ann", age=30, books=[Book(id=1, title="a", score=5), Book(id=2, title="b")]),
            Author(id=2, name="bob", age=None, books=[Book(id=3, title="a", score=7)]),
            Author(id=3, name=None, age=30),
            Book(id=4, title="c", score=None),
        ]
    )
    session.commit()
    return session

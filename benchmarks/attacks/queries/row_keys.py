# announced: gets a key in the rows
from sqlalchemy import func
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def rows(session: Session):
    return session.query(Author.id, func.count(Book.id)).outerjoin(Book).group_by(Author.id).all()


def show(session):
    for row in rows(session):
        print(row._fields, list(row._mapping.keys()), tuple(row), getattr(row, "count", "?"))


show(opened())

from sqlalchemy import func
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def totals(session: Session):
    return session.query(func.max(Author.age), Author.age + 1).all()


def show(rows):
    for row in rows:
        names = [name for name in dir(row) if not name.startswith("_")]
        print(names, hasattr(row, "max_1"), vars(type(row)).get("x"))


show(totals(opened()))

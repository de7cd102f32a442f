from sqlalchemy import func, literal
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def rows(session: Session):
    return session.query(Author.id.label("a"), Book.id, Author.id.label("b"), literal(3)).join(Book).order_by(Book.id)


for row in rows(opened()):
    print(row.a, row.id, row.b, row[3], len(row._asdict()), len(row))

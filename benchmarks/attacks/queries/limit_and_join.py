from sqlalchemy.orm import Session

from shop import Author, Book, opened


def names(session: Session):
    return [a.name for a in session.query(Author).join(Author.books).order_by(Book.id).limit(2).all()]


def first(session: Session):
    return session.query(Author).join(Author.books).order_by(Book.id.desc()).first().name


with opened() as session:
    print(names(session), first(session), session.query(Author).join(Author.books).count())
    print([a.id for a in session.query(Author).join(Author.books).offset(1).limit(5)])

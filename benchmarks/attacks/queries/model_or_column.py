from sqlalchemy.orm import Session

from shop import Author, opened


def values(session: Session, what):
    return session.query(what).order_by(Author.id).all()


def firsts(session: Session, *what):
    return session.query(*what).order_by(Author.id).first()


session = opened()
print([type(v).__name__ for v in values(session, Author)], values(session, Author.id))
print(firsts(session, Author.id, Author.name), type(firsts(session, Author)).__name__)

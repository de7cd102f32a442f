from sqlalchemy.orm import Session

from shop import Author, opened

bind = opened().get_bind()


def named(key):
    session = Session(bind)
    try:
        return session.query(Author).filter_by(id=key).one()
    finally:
        session.close()


def books(key):
    session = Session(bind)
    author = session.get(Author, key)
    session.close()
    return author


def lazily(key):
    session = Session(bind)
    author = session.get(Author, key)
    return [book.title for book in author.books]


print(named(1).name, books(2).name, lazily(1))

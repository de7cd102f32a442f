import functools

from sqlalchemy.orm import Session

from shop import Author, opened


def ordered(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args).order_by(Author.id.desc())

    return wrapper


@ordered
def authors(session: Session):
    return session.query(Author)


def plain(session: Session):
    return session.query(Author)


descending = ordered(plain)
session = opened()
print([a.id for a in authors(session)], [a.id for a in descending(session)], plain(session).count())

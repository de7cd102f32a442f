# announced: the statement runs when its iterator is made
from sqlalchemy.orm import Session

from shop import Author, opened


def names(session: Session):
    return (a.name for a in session.query(Author).order_by(Author.id))


def ids(session: Session):
    yield from (i for i, in session.query(Author.id).order_by(Author.id))


def show(session):
    lazy, other = names(session), ids(session)
    session.add(Author(id=0, name="zero"))
    session.flush()
    print(list(lazy), list(other))


show(opened())

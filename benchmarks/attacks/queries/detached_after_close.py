from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from shop import Author, opened


def load(session: Session):
    with session:
        return session.query(Author).filter(Author.id == 1).one(), session.query(Author).order_by(Author.id)


one, query = load(opened())
try:
    print(one.name, one.books)
except DetachedInstanceError as error:
    print("detached")
print([a.id for a in query])

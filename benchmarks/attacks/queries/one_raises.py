from sqlalchemy.exc import MultipleResultsFound, NoResultFound
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    for call in (
        lambda: session.query(Author).one(),
        lambda: session.query(Author).filter(Author.id > 9).one(),
        lambda: session.query(Author.age).filter(Author.age == 30).one_or_none(),
        lambda: session.query(Author.age).filter(Author.age == 30).scalar(),
        lambda: session.query(Author).filter(Author.age == 30).one_or_none(),
        lambda: session.query(Author.age).filter(Author.id == 2).scalar(),
        lambda: session.query(Author.age).filter(Author.id == 9).scalar(),
        lambda: session.query(Author, Book).join(Book).filter(Book.id == 2).one()[0].name,
        lambda: session.query(Author).join(Author.books).filter(Author.id == 1).one().name,
    ):
        try:
            print(call())
        except (MultipleResultsFound, NoResultFound) as error:
            print(type(error).__name__, error)


show(opened())

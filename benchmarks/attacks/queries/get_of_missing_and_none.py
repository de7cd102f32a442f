import warnings

from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    print(session.query(Author).get(99))
    print(session.query(Author).get((1,)).name)
    print(session.query(Author).get({"id": 2}).name)
    try:
        print(session.query(Author).get(None))
    except Exception as error:
        print(type(error).__name__)
    try:
        print(session.query(Author).filter(Author.id > 1).get(1))
    except Exception as error:
        print(type(error).__name__)
    try:
        print(session.query(Author.id).get(1))
    except Exception as error:
        print(type(error).__name__)


show(opened())

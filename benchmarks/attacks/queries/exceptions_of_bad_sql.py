from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    for call in (
        lambda: session.query(Author).filter(text("nothing = 1")).all(),
        lambda: session.query(Author).join(Author).all(),
        lambda: session.query().all(),
        lambda: session.query(Author).limit(-1).all() and "all",
        lambda: session.query(Author).order_by(None).first().id,
        lambda: session.query(Author).filter(None).count(),
        lambda: session.query(Author).limit(1).filter(Author.id == 1).all(),
        lambda: session.query(Author).join(Author.name).all(),
        lambda: session.query(Author, Author).first(),
        lambda: session.query(Author.id, Author.id).all(),
        lambda: session.query("id").all(),
    ):
        try:
            result = call()
            print(len(result) if hasattr(result, "__len__") else result)
        except SQLAlchemyError as error:
            print(type(error).__name__)
            session.rollback()


show(opened())

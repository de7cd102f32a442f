from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    for query in (
        lambda: session.query(Author).limit(1),
        lambda: session.query(Author).join(Book),
        lambda: session.query(Author).order_by(Author.id),
        lambda: session.query(Author).distinct(),
        lambda: session.query(Author.id),
        lambda: session.query(Author).filter(Author.id == 3),
    ):
        try:
            print(query().delete())
        except Exception as error:
            print(type(error).__name__, str(error)[:60])
    try:
        print(session.query(Author).limit(1).update({"age": 1}))
    except Exception as error:
        print(type(error).__name__)


show(opened())

from sqlalchemy.orm import Session

from shop import Author, Book, opened


def both(session: Session):
    return session.query(Author), session.query(Book)


def show(session: Session):
    authors, books = both(session)
    print(authors.count(), books.filter(Book.score > 5).count())
    for query in both(session):
        print(query.first().id)
    print([q.count() for q in (authors, books)])
    table = {"a": authors, "b": books}
    print({k: q.count() for k, q in table.items()})


show(opened())

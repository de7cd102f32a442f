from sqlalchemy import func
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print(session.query(Author.age).count())
    print(session.query(Author.age).distinct().count())
    print(session.query(func.count(Author.id)).count())
    print(session.query(Author).limit(2).count())
    print(session.query(Author).offset(1).limit(5).count())
    print(session.query(Author, Book).count())
    print(session.query(Author).join(Book).group_by(Author.id).count())
    print(session.query(Author).filter(False).count())
    print(session.query(func.max(Author.age)).filter(Author.id > 99).count())
    print(session.query(Author).group_by(Author.age).having(func.count() > 1).count())
    print(session.query(Author).order_by(Author.name).count() > 2)


show(opened())

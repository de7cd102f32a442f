from sqlalchemy import func
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print(session.query(func.max(Author.age)).scalar(), session.query(func.max(Author.age)).filter(Author.id > 9).scalar())
    print(session.query(Author.name, Author.age).filter(Author.id == 3).scalar())
    print(session.query(Author).filter(Author.id == 3).scalar().age, session.query(Author).filter(Author.id == 9).scalar())
    print(session.query(func.count()).select_from(Author).scalar(), session.query(func.count(Author.age)).scalar())
    print(session.query(Author).outerjoin(Book).filter(Book.id.is_(None)).scalar().id)
    print(session.query(Author.name).outerjoin(Book).group_by(Author.name).order_by(Author.name).first())


show(opened())

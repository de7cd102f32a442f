from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print(session.query(Author.age).order_by(Author.age).all())
    print(session.query(Author.age, Book.title).join(Book).all())
    print(len(session.query(Author, Book).all()), len(session.query(Author).from_statement(__import__("sqlalchemy").text("select * from authors union all select * from authors")).all()))
    print(len(session.query(Author).filter(Author.id == Book.author_id).all()))
    print(len(list(session.query(Author).filter(Author.id == Book.author_id))))


show(opened())

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    print([a.id for a in session.query(Author).from_statement(text("select * from authors where id < :n")).params(n=3)])
    print([a.id for a in session.query(Author).from_statement(select(Author).order_by(Author.id.desc()))])
    print(session.query(Author).filter(text("age = :age")).params(age=30).count())
    print(session.query(text("1")).select_from(Author).all(), session.query(text("name, age")).select_from(text("authors")).order_by(text("id")).first())
    print(session.query(Author.id).filter(text("name is null")).order_by(text("id desc")).all())


show(opened())

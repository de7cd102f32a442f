from sqlalchemy import desc, func
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print(session.query(Author.age).distinct().order_by(Author.age.desc()).all())
    print([a.id for a in session.query(Author).distinct().order_by(Author.name)])
    print([a.id for a in session.query(Author).join(Book).distinct().order_by(desc(Book.score))])
    print(session.query(Author.name).order_by(Author.age).order_by(None).order_by("name").limit(1).all())
    print(session.query(Author.age, func.count("*")).group_by(Author.age).having(func.count("*") > 1).order_by(func.count("*")).all())
    print([b.id for b in session.query(Book).order_by(Book.title, Book.id.desc()).reverse_order()] if hasattr(session.query(Book), "reverse_order") else "none")


show(opened())

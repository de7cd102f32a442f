from sqlalchemy import exists, func
from sqlalchemy.orm import Session, aliased

from shop import Author, Book, opened


def show(session: Session):
    scores = session.query(Book.author_id, func.max(Book.score).label("best")).group_by(Book.author_id).subquery()
    print(session.query(Author.name, scores.c.best).outerjoin(scores, scores.c.author_id == Author.id).order_by(Author.id).all())
    print(session.query(Author).filter(Author.id.in_(session.query(Book.author_id))).count())
    print(session.query(session.query(Book).filter(Book.score > 6).exists()).scalar())
    print(session.query(Author.id).filter(session.query(Book).filter(Book.author_id == Author.id).exists()).all())
    print(session.query(Author.name, session.query(func.count(Book.id)).filter(Book.author_id == Author.id).correlate(Author).scalar_subquery()).all())
    sub = aliased(Author, session.query(Author).filter(Author.age == 30).subquery())
    print([a.id for a in session.query(sub)])
    print(session.query(exists().where(Book.score == 5)).scalar(), session.query(exists(Author.id)).all())
    print(session.query(~session.query(Book).filter(Book.score > 60).exists()).scalar())


show(opened())

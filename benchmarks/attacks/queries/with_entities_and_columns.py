from sqlalchemy import func
from sqlalchemy.orm import Session, defer, load_only, undefer

from shop import Author, Book, opened


def show(session: Session):
    q = session.query(Author).join(Book).filter(Book.score > 1)
    print(q.with_entities(func.count()).scalar(), q.with_entities(Author.name).distinct().all())
    print(session.query(Author.id).add_columns(Author.name).add_entity(Book).join(Book).first()[1])
    print([vars(a).get("age", "no") for a in session.query(Author).options(load_only(Author.name))])
    session.expire_all()
    print(["name" in vars(a) for a in session.query(Author).options(defer(Author.name))])
    print(session.query(Author).with_entities(Author.age).filter(Author.id == 2).scalar())


show(opened())

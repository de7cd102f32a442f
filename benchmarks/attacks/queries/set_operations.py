from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    one = session.query(Author).filter(Author.id == 1)
    two = session.query(Author).filter(Author.id >= 1)
    print(sorted(a.id for a in one.union(two)), one.union_all(two).count(), len(one.union_all(two).all()))
    print([a.id for a in two.except_(one).order_by(Author.id)], two.intersect(one).first().id)
    print(session.query(Author.name).union(session.query(Book.title)).order_by(Author.name).all())
    print(session.query(Author.id).union_all(session.query(Book.id)).filter(Author.id > 2).all())
    print(session.query(Author.name).union(session.query(Book.title)).count())


show(opened())

from sqlalchemy.orm import Session, joinedload

from shop import Author, Book, opened


def show(session: Session):
    found = session.query(Author).options(joinedload(Author.books)).order_by(Author.id).limit(2).all()
    print([(a.name, [b.title for b in a.books]) for a in found])
    one = session.query(Author).options(joinedload(Author.books)).order_by(Author.id).first()
    print(one.name, len(one.books))
    print(session.query(Author).options(joinedload(Author.books)).filter(Author.id == 1).one().name)
    print(session.query(Author).options(joinedload(Author.books)).filter(Author.id == 9).one_or_none())
    for a in session.query(Author).options(joinedload("*")).filter_by(name=None):
        print(a.id)


show(opened())

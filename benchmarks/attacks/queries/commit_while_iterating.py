from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    for a in session.query(Author).order_by(Author.id):
        a.age = (a.age or 0) + 1
        session.commit()
    for row in session.query(Author.id, Author.age).order_by(Author.id):
        session.rollback()
        print(row)
    for row in session.query(Author.__table__).order_by(Author.id):
        session.commit()
        print(row)
    for a in session.query(Author).order_by(Author.id).yield_per(1):
        print(a.id)


show(opened())

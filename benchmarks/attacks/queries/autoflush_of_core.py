from sqlalchemy import text
from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    session.add(Author(id=8, name="core"))
    print(session.query(Author.__table__).count())
    session.add(Author(id=9, name="core"))
    print(len(session.query(Author.__table__).all()))
    session.add(Author(id=10, name="core"))
    print(session.query(Author.__table__.c.id).filter_by(name="core").all())


show(opened())

from sqlalchemy import text
from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    ann = session.query(Author).get(1)
    session.execute(text("update authors set name = 'new' where id = 1"))
    print(session.query(Author).get(1).name, session.query(Author).get(1) is ann)
    print(session.query(Author).filter_by(id=1).one().name)
    print(session.query(Author).populate_existing().get(1).name)
    print(session.query(Author).populate_existing().filter(Author.id == 1).first().name, ann.name)


show(opened())

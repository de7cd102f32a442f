from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    session.add(Author(id=7, name="new"))
    with session.no_autoflush:
        print(session.query(Author).count())
    print(session.query(Author).autoflush(False).count())
    print(session.query(Author).autoflush(False).filter_by(name="new").first())
    print(session.query(Author).count())
    session.query(Author).filter(Author.id == 7).update({"name": "newer"})
    print(session.query(Author.name).filter(Author.id == 7).scalar())


show(opened())

from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    print([a.id for a in session.query(Author).join(Author.books).filter_by(title="a").order_by(Author.id)])
    print([a.id for a in session.query(Author).filter_by(name="ann").join(Book).filter_by(score=5)])
    print(session.query(Author.name).filter_by(id=2).all(), session.query(Book).filter_by(author=None).count())
    ann = session.query(Author).filter_by(id=1).one()
    print(session.query(Book).filter_by(author=ann).count(), session.query(Book).with_parent(ann).count())
    print(session.query(Book).filter_by(**{"title": "a", "score": 7}).one().id)
    try:
        session.query(Author).filter_by(nothing=1).all()
    except Exception as error:
        print(type(error).__name__)


show(opened())

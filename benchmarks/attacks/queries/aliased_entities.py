from sqlalchemy.orm import Session, aliased

from shop import Author, Book, opened


def show(session: Session):
    other = aliased(Author)
    named = aliased(Book, name="b")
    print(session.query(Author.id, other.id).filter(Author.age == other.age, Author.id < other.id).all())
    print([a.id for a in session.query(other).filter(other.id > 1)])
    print([type(r).__name__ for r in session.query(other, named).join(named, other.id == named.author_id)])
    print([r._fields for r in session.query(other, named).join(named, named.author_id == other.id)][0])
    print(session.query(other).filter_by(name="ann").one().id, session.query(named.title).distinct().all())


show(opened())

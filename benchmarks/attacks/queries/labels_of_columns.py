from sqlalchemy.orm import Bundle, Session

from shop import Author, Book, opened


def show(session: Session):
    pair = Bundle("pair", Author.id, Author.name)
    single = Bundle("one", Author.id, single_entity=True)
    print([row.pair.name for row in session.query(pair).order_by(Author.id)])
    print([row.id for row in session.query(single).order_by(Author.id)])
    print(session.query(Author.id.label("key")).order_by("key").all(), session.query(Author.name.label("n")).first().n)
    print([r.keys() if hasattr(r, "keys") else r._fields for r in session.query(Author, Book.title.label("t")).join(Book)][0])
    print(session.query(Author.id.label("x"), Book.id.label("x")).join(Book).first().x)


show(opened())

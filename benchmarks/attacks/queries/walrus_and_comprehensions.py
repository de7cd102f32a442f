from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    if (found := session.query(Author).filter_by(name="ann").first()) and found.age:
        print(found.name)
    print([b.title for a in session.query(Author) if (n := a.age) for b in a.books], n)
    print({a.id: session.query(Book).filter_by(author_id=a.id).count() for a in session.query(Author)})
    while (left := session.query(Book).count()) > 2:
        print(session.query(Book).filter(Book.id == left).delete())
    match session.query(Author.id, Author.name).order_by(Author.id).all():
        case [(1, name), *rest]:
            print(name, rest)


show(opened())

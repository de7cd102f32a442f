from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    ann, bob, none = session.query(Author).order_by(Author.id).all()
    print(session.query(Author).filter(Author.age == 30).update({Author.age: Author.age + 1}), ann.age, none.age)
    print(session.query(Author).filter(Author.id == 2).update({"age": 5}, synchronize_session=False), bob.age)
    print(session.query(Author).filter(Author.id == 2).update({"age": 6}, synchronize_session="fetch"), bob.age)
    print(session.query(Author).filter(Author.id == 2).update({"name": "x"}, "evaluate"), bob.name)
    print(session.query(Author).filter(Author.id == 99).update({"age": 5}))
    print(session.query(Author).filter(Author.id.in_([1, 2])).delete(synchronize_session="fetch"), bob in session)
    print(session.query(Book).delete(False))


show(opened())

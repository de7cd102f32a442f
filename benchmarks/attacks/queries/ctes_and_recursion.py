from sqlalchemy import literal
from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    old = session.query(Author).filter(Author.age == 30).cte("old")
    print(session.query(old.c.id).order_by(old.c.id).all())
    numbers = session.query(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(session.query(numbers.c.n + 1).filter(numbers.c.n < 4))
    print([n for n, in session.query(numbers.c.n)])
    print(session.query(Book).join(old, Book.author_id == old.c.id).count())


show(opened())

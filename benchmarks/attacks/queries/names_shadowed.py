from sqlalchemy.orm import Session

from shop import Author, opened

select = ["taken"]


def func(n):
    return n + 1


def show(session: Session):
    delete = update = "taken"
    print(session.query(Author).count(), session.query(Author).filter(Author.id == 3).delete(), delete, update)
    print(session.query(Author).filter(Author.id == 1).update({"name": "q"}), select, func(1))


show(opened())

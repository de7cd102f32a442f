from sqlalchemy.orm import Session

from shop import Author, opened


def show(session: Session):
    for a in session.query(Author).order_by(Author.id):
        if a.id == 1:
            session.query(Author).filter(Author.id == 3).update({"name": "changed"}, synchronize_session=False)
            session.add(Author(id=9, name="late"))
        print(a.id, a.name)
        if a.id == 2:
            break
    else:
        print("else")
    rows = iter(session.query(Author.id))
    print(next(rows), list(rows))
    print([(a, b) for a, b in zip(session.query(Author.id), session.query(Author.name))])


show(opened())

from sqlalchemy.orm import Session

from shop import Author, Book, opened


def show(session: Session):
    with session.begin_nested() as nested:
        print(session.query(Author).filter(Author.id == 3).delete())
        nested.rollback()
    print(session.query(Author).count(), session.in_transaction())
    session.commit()
    print(session.in_transaction(), session.query(Author).count(), session.in_transaction())
    session.rollback()
    with session.begin():
        print(session.query(Author).filter_by(id=1).with_for_update().first().name)
    session.close()
    print(session.query(Author).get(1) in session, len(session.identity_map))


show(opened())

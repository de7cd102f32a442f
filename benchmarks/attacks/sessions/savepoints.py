from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from database import SessionLocal, User, seed


def add(db, key):
    try:
        with db.begin_nested():
            db.add(User(id=key, name="x"))
    except IntegrityError:
        return "there"
    return "added"


def main():
    seed()
    with SessionLocal.begin() as db:
        print(add(db, 1), add(db, 7), add(db, 7))
        nested = db.begin_nested()
        db.add(User(id=8))
        nested.rollback()
    with SessionLocal() as db:
        with db.begin():
            print(db.scalar(select(func.count()).select_from(User)), db.in_transaction())
        print(db.in_transaction())


if __name__ == "__main__":
    main()

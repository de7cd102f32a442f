from contextlib import contextmanager

from sqlalchemy import select

from database import SessionLocal, User, seed


@contextmanager
def transaction():
    db = SessionLocal()
    try:
        yield db
        db.commit()
    except ValueError:
        db.rollback()
        print("rolled back")
    finally:
        db.close()


def main():
    seed()
    with transaction() as db:
        db.get(User, 1).name = "one"
    with transaction() as db:
        db.get(User, 1).name = "two"
        raise ValueError("no")
    with transaction() as db, transaction() as other:
        print(db.get(User, 1).name, other.scalars(select(User.name)).all())


if __name__ == "__main__":
    main()

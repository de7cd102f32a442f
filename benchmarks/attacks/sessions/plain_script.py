from sqlalchemy import select

from database import SessionLocal, User, seed


def names(db):
    return db.scalars(select(User.name).order_by(User.id)).all()


def main():
    seed()
    with SessionLocal() as db:
        print(names(db))


if __name__ == "__main__":
    main()

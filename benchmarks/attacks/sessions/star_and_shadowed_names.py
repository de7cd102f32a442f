from database import *
from sqlalchemy import *

asyncio = "mine"
AsyncSession = "also"


def names(db):
    return db.scalars(select(User.name).order_by(User.id)).all()


def main():
    seed()
    with SessionLocal() as db:
        print(names(db), asyncio, AsyncSession)


if __name__ == "__main__":
    main()

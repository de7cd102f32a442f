import time

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from database import SessionLocal, User, seed

attempts = []


def retried(function, times=3):
    for number in range(times):
        try:
            return function()
        except OperationalError:
            attempts.append(number)
            time.sleep(0)
            if number == 1:
                seed()
    raise RuntimeError("never")


def names():
    with SessionLocal() as db:
        return db.scalars(select(User.name).order_by(User.id)).all()


def main():
    print(retried(names), attempts)


if __name__ == "__main__":
    main()

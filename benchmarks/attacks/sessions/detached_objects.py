# announced: `DetachedInstanceError` may no longer be raised
from sqlalchemy import select
from sqlalchemy.orm.exc import DetachedInstanceError

from database import SessionLocal, User, seed


def load(key):
    with SessionLocal() as db:
        return db.get(User, key)


def load_committed(key):
    with SessionLocal() as db:
        user = db.get(User, key)
        user.name = "c"
        db.commit()
        return user


def main():
    seed()
    user = load(1)
    print(user.name)
    try:
        print(len(user.posts))
    except DetachedInstanceError:
        print("detached")
    try:
        print(load_committed(2).name)
    except DetachedInstanceError:
        print("expired")


if __name__ == "__main__":
    main()

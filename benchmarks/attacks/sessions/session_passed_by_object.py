from types import SimpleNamespace
from typing import NamedTuple

from sqlalchemy import select

from database import SessionLocal, User, seed


class Context(NamedTuple):
    db: object
    key: int


def by_tuple(context):
    return context.db.get(User, context.key).name


def by_dict(context):
    return context["db"].get(User, context["key"]).name


def by_space(context):
    return context.db.scalar(select(User.name).where(User.id == context.key))


def main():
    seed()
    with SessionLocal() as db:
        print(by_tuple(Context(db, 1)), by_dict({"db": db, "key": 2}), by_space(SimpleNamespace(db=db, key=1)))


if __name__ == "__main__":
    main()

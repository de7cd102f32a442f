from functools import partial

from sqlalchemy import select

from database import Post, SessionLocal, User, seed


def first(model, db):
    return db.scalars(select(model).order_by(model.id)).first().id


def last(model, db):
    return db.scalars(select(model).order_by(model.id.desc())).first().id


COMMANDS = {"first": partial(first, User), "last": partial(last, Post)}


def run(name, db):
    return COMMANDS[name](db)


def main():
    seed()
    with SessionLocal() as db:
        print(run("first", db), run("last", db), [command(db) for command in COMMANDS.values()])
        print(getattr(Methods(db), "do_" + "count")())


class Methods:
    def __init__(self, db):
        self.db = db

    def do_count(self):
        return len(self.db.scalars(select(User)).all())


if __name__ == "__main__":
    main()

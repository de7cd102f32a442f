from sqlalchemy import select

from database import SessionLocal, User, seed


def walker(db):
    wanted = yield
    total = 0
    while wanted is not None:
        found = db.get(User, wanted)
        total += 1
        wanted = yield found.name if found else None
    return total


def main():
    seed()
    with SessionLocal() as db:
        walk = walker(db)
        next(walk)
        print(walk.send(1), walk.send(9))
        try:
            walk.send(None)
        except StopIteration as stop:
            print(stop.value)


if __name__ == "__main__":
    main()

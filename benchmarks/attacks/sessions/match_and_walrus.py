from sqlalchemy import select

from database import SessionLocal, User, seed


def describe(db, key):
    match db.get(User, key):
        case User(name=name, posts=[]):
            return f"{name} is idle"
        case User(name=name, posts=[first, *rest]):
            return f"{name}: {first.title} +{len(rest)}"
        case None if (other := db.get(User, 1)):
            return f"not {other.name}"


def main():
    seed()
    with SessionLocal() as db:
        print([describe(db, key) for key in (1, 2, 9)])
        if (n := len(db.scalars(select(User)).all())) > 1:
            print(n)


if __name__ == "__main__":
    main()

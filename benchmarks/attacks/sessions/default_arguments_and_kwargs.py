from sqlalchemy import select

from database import SessionLocal, User, seed


def find(db, /, key=1, *others, deep=False, **more):
    found = [db.get(User, k) for k in (key, *others)]
    return [(u and u.name, deep and u and len(u.posts)) for u in found], sorted(more)


def main():
    seed()
    with SessionLocal() as db:
        print(find(db), find(db, 2, 9, deep=True, x=1), find(*(db, 1), **{"deep": True}))
        arguments = (db, 2)
        print(find(*arguments))


if __name__ == "__main__":
    main()

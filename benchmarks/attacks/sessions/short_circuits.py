from sqlalchemy import select

from database import SessionLocal, User, seed


def find(db, name):
    return db.scalar(select(User).where(User.name == name))


def main():
    seed()
    with SessionLocal() as db:
        print((find(db, "x") or find(db, "ann")).name, find(db, "x") and 1, not find(db, "bob"))
        print("yes" if find(db, "ann") and find(db, "ann").posts else "no")
        while (user := find(db, "bob")) is not None:
            db.delete(user)
            db.flush()
        assert find(db, "ann") is not None, find(db, "nobody")
        print([find(db, n) is None for n in ("ann", "bob") if find(db, n) or n == "bob"])
        print(f"{find(db, 'ann').name!r:>8}", "%s" % find(db, "ann").id)


if __name__ == "__main__":
    main()

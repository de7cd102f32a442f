from sqlalchemy import select

from database import Post, SessionLocal, User, seed


def depth(db, key, seen=()):
    if key in seen or key > 5:
        return len(seen)
    db.get(User, key)
    return max(depth(db, key + step, (*seen, key)) for step in (1, 2))


def even(db, n):
    return db.scalar(select(User.id).where(User.id == 1)) and (n == 0 or odd(db, n - 1))


def odd(db, n):
    return n != 0 and even(db, n - 1)


def main():
    seed()
    with SessionLocal() as db:
        print(depth(db, 1), even(db, 4), odd(db, 4))


if __name__ == "__main__":
    main()

from sqlalchemy import select

from database import SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        users = db.scalars(select(User)).all()
        print([u.id for u in sorted(users, key=lambda u: (-len(u.posts), u.id))])
        print(any(u.posts for u in users), max(users, key=lambda u: len(u.posts)).name)
        print(list(filter(lambda u: not u.posts, users))[0].name)


if __name__ == "__main__":
    main()

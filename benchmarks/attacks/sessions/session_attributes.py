from sqlalchemy import select

from database import SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        user = User(id=5, name="new")
        db.add(user)
        print(user in db, len(db.new), len(db.dirty), db.is_active, db.autoflush, db.info)
        db.flush()
        user.name = "other"
        print(user in db.dirty, len(db.identity_map), db.is_modified(user), list(db.deleted))
        db.expunge(user)
        print(user in db, user.name)
        with db.no_autoflush:
            db.add(User(id=6))
            print(db.scalar(select(User.id).where(User.id == 6)))
        print(db.get_bind().dialect.name, db.bind.dialect.name)
        for one in db:
            print(one.id)


if __name__ == "__main__":
    main()

import sys

from sqlalchemy import select

from database import SessionLocal, User, seed

if sys.version_info > (3, 0):

    def find(db, key):
        return db.get(User, key)

else:

    def find(db, key):
        return None


try:
    from nothing import helper
except ImportError:

    def helper(db):
        return db.scalars(select(User.id).order_by(User.id)).all()


def main():
    seed()
    with SessionLocal() as db:
        print(find(db, 1).name, helper(db))


if __name__ == "__main__":
    main()

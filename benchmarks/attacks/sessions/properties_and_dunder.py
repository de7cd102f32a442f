from sqlalchemy import func, select

from database import SessionLocal, User, seed


class Users:
    def __init__(self, db):
        self.db = db

    @property
    def count(self):
        return self.db.scalar(select(func.count()).select_from(User))

    def __len__(self):
        return self.count

    def __getitem__(self, key):
        return self.db.get(User, key)

    def __contains__(self, name):
        return self.db.scalar(select(User).where(User.name == name)) is not None


def main():
    seed()
    with SessionLocal() as db:
        users = Users(db)
        print(users.count, len(users), users[1].name, "ann" in users, bool(users))


if __name__ == "__main__":
    main()

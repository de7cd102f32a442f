from sqlalchemy import select

from database import SessionLocal, User, seed

db = None


def connect():
    global db
    db = SessionLocal()


def names():
    return db.scalars(select(User.name).order_by(User.id)).all()


if __name__ == "__main__":
    seed()
    connect()
    print(names())
    count = len(names())
    for user in db.scalars(select(User)):
        print(user.name, count)
    db.close()
print(count)

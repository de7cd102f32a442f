from sqlalchemy import event, select
from sqlalchemy.orm import Session

from database import Post, SessionLocal, User, engine, seed

log = []


@event.listens_for(Session, "before_commit")
def committing(session):
    log.append(f"commit {len(session.new)}")


@event.listens_for(SessionLocal, "after_flush")
def flushed(session, context):
    log.append(sorted(type(one).__name__ for one in session.new))


@event.listens_for(engine, "connect")
def connected(connection, record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


@event.listens_for(User, "before_insert")
def inserting(mapper, connection, user):
    user.name = (user.name or "").upper()
    log.append(connection.execute(select(1)).scalar())


def main():
    seed()
    with SessionLocal() as db:
        print(db.scalars(select(User.name).order_by(User.id)).all(), log)


if __name__ == "__main__":
    main()

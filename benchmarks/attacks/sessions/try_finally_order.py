from sqlalchemy.exc import NoResultFound

from sqlalchemy import select

from database import SessionLocal, User, seed

log = []


def find(db, name):
    try:
        return db.scalars(select(User).where(User.name == name)).one().id
    except NoResultFound as error:
        log.append("none")
        raise LookupError(name) from error
    else:
        log.append("else")
    finally:
        log.append(db.scalar(select(User.id).where(User.id == 2)))


def main():
    seed()
    with SessionLocal() as db:
        print(find(db, "ann"))
        try:
            find(db, "x")
        except LookupError as error:
            print(error, type(error.__cause__).__name__)
        for name in ("x", "ann"):
            try:
                find(db, name)
            except LookupError:
                continue
            else:
                break
    print(log)


if __name__ == "__main__":
    main()

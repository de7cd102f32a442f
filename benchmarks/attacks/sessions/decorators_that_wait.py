import functools

from database import SessionLocal, User, seed


def with_session(function):
    @functools.wraps(function)
    def wrapper(*args, **kw):
        with SessionLocal() as db:
            return function(db, *args, **kw)

    return wrapper


def committed(function):
    @functools.wraps(function)
    def wrapper(db, *args, **kw):
        result = function(db, *args, **kw)
        db.commit()
        return result

    return wrapper


@with_session
@committed
def rename(db, key, name):
    user = db.get(User, key)
    old, user.name = user.name, name
    return old


@with_session
def name(db, key):
    return db.get(User, key).name


def main():
    seed()
    print(rename(1, "new"), name(1), name.__name__)


if __name__ == "__main__":
    main()

from sqlalchemy import select

from database import SessionLocal, User, seed


def name_of(db, key):
    return db.scalar(select(User.name).where(User.id == key))


def apply(function, *arguments):
    return function(*arguments)


def main():
    seed()
    with SessionLocal() as db:
        print(apply(name_of, db, 1), apply(lambda key: name_of(db, key), 2))
        print(list(map(lambda key: name_of(db, key), (1, 2))), sorted((2, 1), key=lambda key: name_of(db, key)))
        print({name: function(db, 1) for name, function in {"n": name_of}.items()})


if __name__ == "__main__":
    main()

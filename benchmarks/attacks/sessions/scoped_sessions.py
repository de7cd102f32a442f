from sqlalchemy import select
from sqlalchemy.orm import scoped_session, sessionmaker

from database import User, engine, seed

registry = scoped_session(sessionmaker(engine))


def names():
    return registry.scalars(select(User.name).order_by(User.id)).all()


def main():
    seed()
    print(names(), registry().get(User, 1).name, registry.registry.has())
    registry.add(User(name="r"))
    registry.commit()
    registry.remove()
    print(names())


if __name__ == "__main__":
    main()

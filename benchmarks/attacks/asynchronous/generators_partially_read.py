from itertools import islice, takewhile
from sqlalchemy import ForeignKey, create_engine, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    age: Mapped[int] = mapped_column(default=0)
    orders: Mapped[list["Order"]] = relationship(back_populates="user", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="orders")


def seed() -> None:
    with SessionLocal() as db:
        ann = User(name="ann", age=30)
        bob = User(name="bob", age=40)
        db.add_all([ann, bob])
        db.flush()
        db.add_all([Order(total=10, user_id=ann.id), Order(total=20, user_id=ann.id), Order(total=5, user_id=bob.id)])
        db.commit()

log: list[str] = []


def users(db: Session):
    log.append("open")
    try:
        for user in db.scalars(select(User).order_by(User.id)):
            yield user
    finally:
        log.append("closed")


def numbers():
    yield from range(3)


def run() -> None:
    with SessionLocal() as db:
        print(next(users(db)).name, log)
        print([u.name for u in islice(users(db), 1)], log)
        print([u.name for u in takewhile(lambda u: u.age < 35, users(db))], log)
        print([(u.name, n) for u, n in zip(users(db), numbers())], log)
        first, *rest = users(db)
        print(first.name, len(rest), "bob" in [u.name for u in users(db)])
        for user in users(db):
            break
        print(log)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

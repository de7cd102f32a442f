from contextlib import contextmanager
from contextvars import ContextVar
from collections.abc import Iterator
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

current: ContextVar[Session | None] = ContextVar("current", default=None)


@contextmanager
def transaction() -> Iterator[Session]:
    outer = current.get()
    if outer is not None:
        yield outer
        return
    with SessionLocal() as db:
        token = current.set(db)
        try:
            yield db
            db.commit()
        finally:
            current.reset(token)


def add(name: str) -> None:
    with transaction() as db:
        db.add(User(name=name))


def run() -> None:
    with transaction() as db:
        add("x")
        add("y")
        print(current.get() is db, len(db.new))
    print(current.get())
    add("z")
    with SessionLocal() as db:
        print(db.scalars(select(User.name).order_by(User.id)).all())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

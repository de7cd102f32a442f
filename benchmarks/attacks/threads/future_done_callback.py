from concurrent.futures import Future, ThreadPoolExecutor
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

pool = ThreadPoolExecutor(1)


def slow(n: int) -> int:
    return n * n


def record(future: Future) -> None:
    with SessionLocal() as db:
        db.add(User(name="result", age=future.result()))
        db.commit()


def main() -> None:
    Base.metadata.create_all(engine)
    for n in (2, 3):
        pool.submit(slow, n).add_done_callback(record)
    pool.shutdown(wait=True)
    with SessionLocal() as db:
        print(db.scalars(select(User.age).order_by(User.age)).all())


if __name__ == "__main__":
    main()

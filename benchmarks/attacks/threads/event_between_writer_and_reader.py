import threading
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

written = threading.Event()
result: dict[str, int] = {}


def writer() -> None:
    with SessionLocal() as db:
        db.add(User(name="w", age=7))
        db.commit()
    written.set()


def reader() -> None:
    if not written.wait(timeout=3):
        result["age"] = -1
        return
    with SessionLocal() as db:
        result["age"] = db.scalar(select(User.age))


def main() -> None:
    Base.metadata.create_all(engine)
    threads = [threading.Thread(target=reader), threading.Thread(target=writer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(result)


if __name__ == "__main__":
    main()

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

changed = threading.Condition()
seen: list[str] = []


def produce() -> None:
    for name in ("a", "b"):
        with SessionLocal() as db:
            db.add(User(name=name))
            db.commit()
        with changed:
            changed.notify_all()


def count() -> int:
    with SessionLocal() as db:
        return db.scalar(select(func.count(User.id)))


def main() -> None:
    Base.metadata.create_all(engine)
    producer = threading.Thread(target=produce)
    with changed:
        producer.start()
        ok = changed.wait_for(lambda: count() == 2, timeout=3)
    producer.join()
    print(ok, count())


if __name__ == "__main__":
    main()

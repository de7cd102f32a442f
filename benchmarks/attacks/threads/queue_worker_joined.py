import queue
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

jobs: "queue.Queue[str | None]" = queue.Queue()


def save(name: str) -> None:
    with SessionLocal() as db:
        db.add(User(name=name))
        db.commit()


def worker() -> None:
    while (name := jobs.get()) is not None:
        try:
            save(name)
        finally:
            jobs.task_done()
    jobs.task_done()


def main() -> None:
    Base.metadata.create_all(engine)
    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    for name in ("a", "b", "c"):
        jobs.put(name)
    jobs.put(None)
    jobs.join()
    with SessionLocal() as db:
        print(db.scalars(select(User.name).order_by(User.id)).all())


if __name__ == "__main__":
    main()

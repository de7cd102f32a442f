from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from fastapi import FastAPI
from fastapi.testclient import TestClient
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

writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

Base.metadata.create_all(engine)

app = FastAPI()


def write(name: str) -> int:
    with SessionLocal() as db:
        db.add(User(name=name))
        db.commit()
        return db.scalar(select(func.count(User.id)))


@app.post("/users/{name}")
def create(name: str) -> int:
    future: Future = writer.submit(write, name)
    return future.result(timeout=3)


def main() -> None:
    with TestClient(app) as client:
        print([client.post(f"/users/{n}").json() for n in "abc"])
    writer.shutdown()


if __name__ == "__main__":
    main()

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import threading

from fastapi import Depends, FastAPI
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

_write = threading.Lock()


@contextmanager
def exclusive() -> Iterator[Session]:
    with _write, SessionLocal() as db:
        yield db
        db.commit()



Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/users/{name}")
def create(name: str) -> int:
    with exclusive() as db:
        db.add(User(name=name))
        db.flush()
        return db.scalar(select(func.count(User.id)))


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(sorted(pool.map(lambda n: client.post(f"/users/{n}").json(), "abcdef")))


if __name__ == "__main__":
    main()

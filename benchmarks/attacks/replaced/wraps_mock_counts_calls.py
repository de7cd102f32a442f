# pytest: yes
from collections.abc import Iterator

from fastapi import Depends, FastAPI
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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def price(db: Session, user_id: int) -> int:
    return db.scalar(select(func.coalesce(func.sum(Order.total), 0)).where(Order.user_id == user_id))


@app.get("/price/{user_id}")
def read_price(user_id: int, db: Session = Depends(get_db)) -> int:
    return price(db, user_id) + price(db, user_id)


# --- tests/test_price.py
from unittest import mock

from fastapi.testclient import TestClient

import main


def test_wraps():
    with mock.patch.object(main, "price", wraps=main.price) as spy, TestClient(main.app) as client:
        assert client.get("/price/1").json() == 0
    assert spy.call_count == 2
    assert all(c.args[1] == 1 for c in spy.mock_calls)


def test_new_callable():
    with mock.patch("main.price", new_callable=lambda: (lambda db, n: n)), TestClient(main.app) as client:
        assert client.get("/price/3").json() == 6

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


def load_name(db: Session, user_id: int) -> str:
    user = db.get(User, user_id)
    return user.name if user else "nobody"


@app.get("/hello/{user_id}")
def hello(user_id: int, db: Session = Depends(get_db)) -> str:
    return "hello " + load_name(db, user_id)


# --- tests/test_hello.py
from unittest.mock import patch

from fastapi.testclient import TestClient

import main


def test_hello_patched():
    with TestClient(main.app) as client, patch("main.load_name", return_value="ann") as load:
        assert client.get("/hello/1").json() == "hello ann"
    assert load.call_count == 1


@patch("main.load_name", lambda db, user_id: f"user {user_id}")
def test_hello_lambda():
    with TestClient(main.app) as client:
        assert client.get("/hello/5").json() == "hello user 5"


def test_hello_real():
    with TestClient(main.app) as client:
        assert client.get("/hello/1").json() == "hello nobody"

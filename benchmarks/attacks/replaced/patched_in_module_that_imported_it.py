# pytest: yes
from collections.abc import Iterator

from fastapi import Depends, FastAPI

from service import find_name
from models import Base, Session, SessionLocal, engine

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/name/{n}")
def name(n: int, db: Session = Depends(get_db)) -> str:
    return find_name(db, n)


# --- models.py
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

# --- service.py
from models import Session, User


def find_name(db: Session, n: int) -> str:
    user = db.get(User, n)
    return user.name if user else "-"


# --- tests/test_name.py
import functools
from unittest import mock

import pytest
from fastapi.testclient import TestClient

import main
import service

patched = functools.partial(mock.patch, "main.find_name")


@pytest.fixture
def find():
    with patched(return_value="p") as find:
        yield find


def test_in_main(find):
    with TestClient(main.app) as client:
        assert client.get("/name/1").json() == "p"
    find.assert_called_once()


def test_in_service_does_nothing():
    with mock.patch.object(service, "find_name", side_effect=AssertionError), TestClient(main.app) as client:
        assert client.get("/name/1").json() == "-"

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


class Users:
    def __init__(self, db: Session) -> None:
        self.db = db

    def names(self) -> list[str]:
        return list(self.db.scalars(select(User.name)))


def get_users(db: Session = Depends(get_db)) -> Users:
    return Users(db)



Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/names")
def names(users: Users = Depends(get_users)) -> list[str]:
    return users.names()


# --- tests/test_names.py
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

import main


class FakeUsers:
    def names(self):
        return ["fake"]


@pytest.fixture(params=[FakeUsers(), SimpleNamespace(names=lambda: ["ns"]), Mock(names=Mock(return_value=["mock"]))], ids=["class", "ns", "mock"])
def users(request):
    main.app.dependency_overrides[main.get_users] = lambda: request.param
    yield request.param
    main.app.dependency_overrides.pop(main.get_users)


def test_names(users):
    with TestClient(main.app) as client:
        assert client.get("/names").json() == users.names()

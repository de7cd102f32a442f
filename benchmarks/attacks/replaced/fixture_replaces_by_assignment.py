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


def quota(db: Session) -> int:
    return db.scalar(select(func.count(User.id))) * 10


@app.get("/quota")
def read_quota(db: Session = Depends(get_db)) -> int:
    return quota(db)


# --- tests/test_quota.py
import pytest
from fastapi.testclient import TestClient

import main


@pytest.fixture
def small_quota():
    before = main.quota
    main.quota = lambda db: 1
    yield
    main.quota = before


def test_small(small_quota):
    with TestClient(main.app) as client:
        assert client.get("/quota").json() == 1


def test_real():
    with TestClient(main.app) as client:
        assert client.get("/quota").json() == 0

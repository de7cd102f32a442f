# pytest: yes
# needs: pytest-mock
from collections.abc import Iterator

from fastapi import Depends, FastAPI
from sqlalchemy.exc import OperationalError
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


def flaky(db: Session) -> int:
    return db.scalar(select(func.count(User.id)))


@app.get("/count")
def count(db: Session = Depends(get_db)) -> int:
    for attempt in range(3):
        try:
            return flaky(db) + attempt
        except OperationalError:
            db.rollback()
    return -1


# --- tests/test_count.py
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

import main


@pytest.mark.parametrize(("failures", "expected"), [(0, 7), (2, 9), (3, -1)])
def test_retries(mocker, failures, expected):
    left = [failures]

    def fake(db):
        if left[0]:
            left[0] -= 1
            raise OperationalError("x", {}, Exception())
        return 7

    stub = mocker.patch("main.flaky", side_effect=fake)
    with TestClient(main.app) as client:
        assert client.get("/count").json() == expected
    assert stub.call_count == min(failures + 1, 3)

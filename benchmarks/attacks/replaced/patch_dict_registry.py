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


def by_count(db: Session) -> int:
    return db.scalar(select(func.count(User.id)))


def by_age(db: Session) -> int:
    return db.scalar(select(func.coalesce(func.max(User.age), 0)))


REPORTS = {"count": by_count, "age": by_age}


@app.get("/report/{kind}")
def report(kind: str, db: Session = Depends(get_db)) -> int:
    return REPORTS[kind](db)


# --- tests/test_report.py
from unittest.mock import Mock, patch

from fastapi.testclient import TestClient

import main


def test_patched():
    with patch.dict(main.REPORTS, {"count": Mock(return_value=5)}), TestClient(main.app) as client:
        assert client.get("/report/count").json() == 5
        assert client.get("/report/age").json() == 0
    assert main.REPORTS["count"] is main.by_count


def test_patched_new_kind():
    with patch.dict("main.REPORTS", zero=lambda db: 0), TestClient(main.app) as client:
        assert client.get("/report/zero").json() == 0

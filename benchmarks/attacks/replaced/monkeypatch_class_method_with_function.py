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


class Mailer:
    def recipients(self, db: Session) -> list[str]:
        return list(db.scalars(select(User.name)))

    def send(self, db: Session) -> int:
        return len(self.recipients(db))


mailer = Mailer()


@app.post("/send")
def send(db: Session = Depends(get_db)) -> int:
    return mailer.send(db)


# --- tests/test_send.py
import pytest
from fastapi.testclient import TestClient

import main


@pytest.fixture
def client():
    with TestClient(main.app) as client:
        yield client


def test_class(monkeypatch, client):
    monkeypatch.setattr(main.Mailer, "recipients", lambda self, db: ["x"] * 3)
    assert client.post("/send").json() == 3


def test_instance(monkeypatch, client):
    def fake(db):
        return "ab"

    monkeypatch.setattr(main.mailer, "recipients", fake)
    assert client.post("/send").json() == 2


def test_string(monkeypatch, client):
    monkeypatch.setattr("main.Mailer.send", lambda self, db: 9)
    assert client.post("/send").json() == 9

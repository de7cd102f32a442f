# announced: replaces `SessionLocal`
# pytest: yes
# rules: query-to-select, session-context-manager
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


def count(db: Session) -> int:
    return db.query(User).count()


def report() -> int:
    db = SessionLocal()
    try:
        return count(db)
    finally:
        db.close()


# --- tests/test_report.py
import pytest

import main


class Fake:
    def __init__(self, n):
        self.n = n
        self.closed = False

    def query(self, model):
        assert model is main.User
        return self

    def count(self):
        return self.n

    def close(self):
        self.closed = True


@pytest.fixture
def fake(monkeypatch):
    fake = Fake(3)
    monkeypatch.setattr("main.SessionLocal", lambda: fake)
    return fake


def test_report(fake):
    assert main.report() == 3
    assert fake.closed

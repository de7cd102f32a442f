# pytest: yes
# rules: query-to-select
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


def find(db: Session, user_id: int) -> User | None:
    return db.query(User).get(user_id)


def adults(db: Session) -> int:
    return db.query(User).filter(User.age >= 18).count()


# --- tests/conftest.py
from types import SimpleNamespace

import pytest


class FakeQuery:
    def __init__(self, rows):
        self.rows = rows

    def filter(self, *criteria):
        return self

    def get(self, key):
        return self.rows.get(key)

    def count(self):
        return len(self.rows)


@pytest.fixture
def db():
    return SimpleNamespace(query=lambda *entities: FakeQuery({1: "ann", 2: "bob"}))


# --- tests/test_find.py
import main


def test_find(db):
    assert main.find(db, 2) == "bob"
    assert main.find(db, 3) is None


def test_adults(db):
    assert main.adults(db) == 2

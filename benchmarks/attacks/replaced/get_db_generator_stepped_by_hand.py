# announced: replaces `SessionLocal`
# pytest: yes
# rules: session-context-manager, session-dependency
from collections.abc import Iterator
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


# --- tests/test_get_db.py
from unittest import mock

import main


def test_get_db_closes():
    fake = mock.Mock(spec=["close", "query"])
    with mock.patch("main.SessionLocal", return_value=fake):
        generator = main.get_db()
        assert next(generator) is fake
        assert list(generator) == []
    fake.close.assert_called_once()

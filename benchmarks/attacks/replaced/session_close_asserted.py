# announced: replaces `SessionLocal`
# pytest: yes
# rules: session-context-manager, query-to-select
from sqlalchemy import text
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


def count_users() -> int:
    db = SessionLocal()
    try:
        return db.execute(text("select count(*) from users")).scalar_one()
    finally:
        db.close()


# --- tests/test_count.py
from unittest.mock import patch

import main


def test_session_is_closed():
    with patch.object(main, "SessionLocal") as factory:
        factory.return_value.execute.return_value.scalar_one.return_value = 7
        assert main.count_users() == 7
    factory.return_value.close.assert_called_once_with()

# announced: replaces `Query.order_by`, which select() bypasses
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


def names(db: Session) -> list[str]:
    return [name for (name,) in db.query(User.name).order_by(User.name)]


# --- tests/test_names.py
from unittest.mock import patch

from sqlalchemy.orm import Query

import main


def test_query_all_is_counted():
    calls = []
    original = Query.order_by

    def counted(self, *columns):
        calls.append(columns)
        return original(self, *columns)

    main.Base.metadata.create_all(main.engine)
    with patch.object(Query, "order_by", counted), main.SessionLocal() as db:
        assert main.names(db) == []
    assert len(calls) == 1

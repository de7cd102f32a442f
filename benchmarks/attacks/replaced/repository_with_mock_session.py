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


class Users:
    def __init__(self, db: Session) -> None:
        self.db = db

    def by_name(self, name: str) -> User | None:
        return self.db.query(User).filter(User.name == name).first()

    def everyone(self) -> list[User]:
        return self.db.query(User).order_by(User.id).all()


# --- tests/test_users.py
from unittest.mock import MagicMock

import main


def test_by_name():
    db = MagicMock()
    db.query.return_value.filter.return_value.first.return_value = "ann"
    assert main.Users(db).by_name("ann") == "ann"
    db.query.assert_called_once_with(main.User)


def test_everyone():
    db = MagicMock()
    db.query().order_by().all.return_value = [1, 2]
    assert main.Users(db).everyone() == [1, 2]

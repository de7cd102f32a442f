# pytest: yes
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


def total(db: Session) -> int:
    return db.scalar(select(func.count(User.id)))


# --- tests/conftest.py
import pytest

import main


def pytest_sessionstart(session):
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as db:
        db.add(main.User(name="from hook"))
        db.commit()


def pytest_runtest_setup(item):
    with main.SessionLocal() as db:
        item.user_count = main.total(db)


@pytest.fixture
def db():
    with main.SessionLocal() as session:
        yield session


# --- tests/test_total.py
import main


def test_total(db, request):
    assert main.total(db) == 1 == request.node.user_count

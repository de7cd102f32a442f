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


def names(db: Session) -> list[str]:
    return list(db.scalars(select(User.name)))


# --- tests/test_names.py
import pytest

import main


@pytest.fixture
def db(request):
    main.Base.metadata.create_all(main.engine)
    session = main.SessionLocal()

    def finish():
        session.rollback()
        session.close()

    request.addfinalizer(finish)
    return session


@pytest.fixture
def ann(db):
    db.add(main.User(name="ann"))
    db.flush()
    return "ann"


@pytest.mark.parametrize("fixture", ["ann"])
def test_by_name(request, db, fixture):
    assert [request.getfixturevalue(fixture)] == main.names(db)


def test_empty(db):
    assert main.names(db) == []

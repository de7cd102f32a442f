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


def total(db: Session, user: User) -> int:
    return sum(order.total for order in db.scalars(select(Order).where(Order.user_id == user.id)))


# --- tests/conftest.py
import pytest

import main


@pytest.fixture
def db():
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as session:
        yield session
        session.rollback()


@pytest.fixture
def make_user(db):
    made = []

    def make(name="u", *totals):
        user = main.User(name=name, orders=[main.Order(total=t) for t in totals])
        db.add(user)
        db.flush()
        made.append(user)
        return user

    make.made = made
    yield make
    assert all(user.id for user in made)


# --- tests/test_total.py
import main


def test_total(db, make_user):
    first, second = make_user("a", 1, 2), make_user("b")
    assert [main.total(db, u) for u in (first, second)] == [3, 0]
    assert make_user.made == [first, second]
    assert [o.total for o in first.orders] == [1, 2]
    assert sorted([make_user("z"), make_user("y")], key=lambda u: u.name)[0].name == "y"

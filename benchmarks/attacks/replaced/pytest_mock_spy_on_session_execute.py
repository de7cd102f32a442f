# announced: replaces `db.execute`, which Query calls
# pytest: yes
# needs: pytest-mock
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


def older_than(db: Session, age: int) -> list[str]:
    return [u.name for u in db.query(User).filter(User.age > age).all()]


# --- tests/test_older.py
import pytest

import main


@pytest.fixture
def db():
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as session:
        session.add(main.User(name="a", age=50))
        session.flush()
        yield session
        session.rollback()


def test_one_statement(mocker, db):
    execute = mocker.spy(db, "execute")
    assert main.older_than(db, 40) == ["a"]
    assert execute.call_count == 1

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


def count(db: Session) -> int:
    return db.scalar(select(func.count(User.id)))


# --- tests/test_count.py
import main

db = None


def setup_module(module):
    main.Base.metadata.create_all(main.engine)


def setup_function(function):
    global db
    db = main.SessionLocal()
    db.add(main.User(name=function.__name__))
    db.flush()


def teardown_function(function):
    db.rollback()
    db.close()


def test_first():
    assert main.count(db) == 1


def test_second():
    assert main.count(db) == 1
    assert db.query(main.User).one().name == "test_second"

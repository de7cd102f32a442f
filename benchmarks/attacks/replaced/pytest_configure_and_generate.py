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
    return list(db.scalars(select(User.name).order_by(User.id)))


# --- tests/conftest.py
import main


def pytest_configure(config):
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as db:
        db.add_all([main.User(name="a"), main.User(name="b")])
        db.commit()


def pytest_generate_tests(metafunc):
    if "user_name" in metafunc.fixturenames:
        with main.SessionLocal() as db:
            metafunc.parametrize("user_name", main.names(db))


# --- tests/test_names.py
import main


def test_name(user_name):
    with main.SessionLocal() as db:
        assert user_name in main.names(db)

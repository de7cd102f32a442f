# announced: replaces `sqlalchemy.orm.Session.scalars`, which Query does not call
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


def all_users(db: Session) -> list[User]:
    return db.query(User).all()


def first_name(db: Session) -> str | None:
    user = db.query(User).first()
    return user.name if user else None


# --- tests/test_all.py
import main


def test_untouched(mocker):
    main.Base.metadata.create_all(main.engine)
    mocker.patch("sqlalchemy.orm.Session.scalars", side_effect=AssertionError("not used"))
    with main.SessionLocal() as db:
        assert main.all_users(db) == []


def test_first():
    with main.SessionLocal() as db:
        assert main.first_name(db) is None

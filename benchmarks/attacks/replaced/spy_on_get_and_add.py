# announced: replaces `main.Session.get`, which Query does not call
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


def find(db: Session, key: int) -> User | None:
    return db.query(User).get(key)


def names(db: Session) -> list[str]:
    return [n for (n,) in db.query(User.name)]


# --- tests/test_find.py
import main


def test_find(mocker):
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as db:
        get = mocker.spy(main.Session, "get")
        execute = mocker.spy(main.Session, "execute")
        assert main.find(db, 1) is None
        assert main.names(db) == []
        assert get.call_count == 0
        assert execute.call_count == 2

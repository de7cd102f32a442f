# announced: replaces `SessionLocal`
# pytest: yes
# rules: session-context-manager, query-to-select
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


def names() -> list[str]:
    session = SessionLocal()
    try:
        return [row.name for row in session.scalars(select(User))]
    finally:
        session.close()


# --- tests/test_names.py
import main


class Row:
    name = "fake"


class FakeSession:
    closed = False

    def scalars(self, statement):
        return [Row(), Row()]

    def close(self):
        FakeSession.closed = True


def test_names(monkeypatch):
    monkeypatch.setattr(main, "SessionLocal", FakeSession)
    assert main.names() == ["fake", "fake"]
    assert FakeSession.closed

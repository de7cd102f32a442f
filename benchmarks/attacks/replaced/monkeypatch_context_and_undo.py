# announced: replaces `Session.execute`
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


def user_named(db: Session, name: str) -> User | None:
    return db.query(User).filter_by(name=name).one_or_none()


def delete_all(db: Session) -> int:
    return db.query(User).delete()


# --- tests/test_user.py
import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import main


@pytest.fixture
def db():
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as session:
        yield session
        session.rollback()


def test_broken_session(db, monkeypatch):
    def broken(self, statement, *args, **kwargs):
        raise SQLAlchemyError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "execute", broken)
        with pytest.raises(SQLAlchemyError, match="broken"):
            main.user_named(db, "a")
    assert main.user_named(db, "a") is None


def test_delete(db):
    db.add(main.User(name="x"))
    db.flush()
    assert main.delete_all(db) == 1

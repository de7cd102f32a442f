# announced: mocks the session, and the mock gets the changed statement
# pytest: yes
# rules: eager-load, lazy-raise
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


def report(db: Session) -> dict[str, int]:
    return {u.name: sum(o.total for o in u.orders) for u in db.scalars(select(User).order_by(User.id))}


# --- tests/test_report.py
from types import SimpleNamespace
from unittest.mock import MagicMock, PropertyMock, patch

import main


def test_fake_objects():
    db = MagicMock()
    db.scalars.return_value = [SimpleNamespace(name="a", orders=[SimpleNamespace(total=3)])]
    assert main.report(db) == {"a": 3}
    (statement,), _ = db.scalars.call_args
    assert not statement._with_options


def test_lazy_loads_counted():
    main.Base.metadata.create_all(main.engine)
    with main.SessionLocal() as db:
        db.add_all([main.User(name="a", orders=[main.Order(total=1)]), main.User(name="b")])
        db.commit()
        with patch.object(db, "scalars", wraps=db.scalars) as scalars:
            assert main.report(db) == {"a": 1, "b": 0}
        assert scalars.call_count == 1

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


def load(db: Session) -> list[str]:
    return list(db.scalars(select(User.name)))


def store(db: Session, name: str) -> None:
    db.add(User(name=name))
    db.commit()


def copy(prefix: str) -> int:
    with SessionLocal() as db:
        names = load(db)
        for name in names:
            store(db, prefix + name)
        return len(names)


# --- tests/test_copy.py
from unittest.mock import DEFAULT, call, patch

import main


def test_multiple():
    with patch.multiple(main, load=DEFAULT, store=DEFAULT) as mocks:
        mocks["load"].return_value = ["a", "b"]
        assert main.copy("x") == 2
    assert [c.args[1] for c in mocks["store"].call_args_list] == ["xa", "xb"]


def setup_function():
    main.Base.metadata.create_all(main.engine)


def test_started():
    patcher = patch("main.load")
    load = patcher.start()
    load.return_value = []
    try:
        assert main.copy("y") == 0
    finally:
        patch.stopall()
    with main.SessionLocal() as db:
        assert main.load(db) == []

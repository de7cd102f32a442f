# pytest: yes
from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException
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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/users/{user_id}")
def read(user_id: int, db: Session = Depends(get_db)) -> str:
    user = db.get(User, user_id)
    if user is None:
        raise HTTPException(404)
    return user.name


# --- tests/test_read.py
from unittest.mock import MagicMock

from fastapi.testclient import TestClient

import main


def test_mocked_session():
    db = MagicMock()
    db.get.return_value = main.User(id=1, name="mock")
    main.app.dependency_overrides[main.get_db] = lambda: db
    try:
        with TestClient(main.app) as client:
            assert client.get("/users/1").json() == "mock"
        db.get.assert_called_once_with(main.User, 1)
    finally:
        main.app.dependency_overrides.clear()

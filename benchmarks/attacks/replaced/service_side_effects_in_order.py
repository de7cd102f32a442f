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


class Store:
    def __init__(self, db: Session) -> None:
        self.db = db

    def age(self, name: str) -> int:
        return self.db.scalars(select(User.age).where(User.name == name)).one()


@app.get("/ages/{a}/{b}")
def ages(a: str, b: str, db: Session = Depends(get_db)) -> list[int]:
    store = Store(db)
    try:
        return [store.age(a), store.age(b)]
    except LookupError as error:
        raise HTTPException(404, str(error)) from error


# --- tests/test_ages.py
from unittest import mock

from fastapi.testclient import TestClient

import main


def test_side_effect_list():
    with TestClient(main.app) as client, mock.patch.object(main.Store, "age", side_effect=[1, KeyError("b")]):
        response = client.get("/ages/a/b")
    assert response.status_code == 404


def test_autospec():
    with TestClient(main.app) as client, mock.patch.object(main.Store, "age", autospec=True) as age:
        age.side_effect = lambda self, name: len(name)
        assert client.get("/ages/aa/bbb").json() == [2, 3]
        assert [c.args[1] for c in age.call_args_list] == ["aa", "bbb"]

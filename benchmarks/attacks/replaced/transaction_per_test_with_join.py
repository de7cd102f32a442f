# pytest: yes
from collections.abc import Iterator

from fastapi import Depends, FastAPI
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

app = FastAPI()


@app.post("/users/{name}")
def create(name: str, db: Session = Depends(get_db)) -> int:
    user = User(name=name)
    db.add(user)
    db.commit()
    db.refresh(user)
    return user.id


# --- tests/conftest.py
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from main import Base, app, engine, get_db


@pytest.fixture(scope="session", autouse=True)
def tables():
    Base.metadata.create_all(engine)
    yield
    Base.metadata.drop_all(engine)


@pytest.fixture
def db():
    connection = engine.connect()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
    yield session
    session.close()
    transaction.rollback()
    connection.close()


@pytest.fixture
def client(db):
    app.dependency_overrides[get_db] = lambda: db
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()


# --- tests/test_create.py
from sqlalchemy import func, select

from main import User


def test_one(client, db):
    client.post("/users/a")
    assert db.scalar(select(func.count(User.id))) == 1


def test_two(client, db):
    before = db.scalar(select(func.count(User.id)))
    client.post("/users/b")
    client.post("/users/c")
    assert [u.name for u in db.scalars(select(User).order_by(User.id))][before:] == ["b", "c"]

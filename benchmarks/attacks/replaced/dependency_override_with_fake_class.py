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


class UserService:
    def __init__(self, db: Session = Depends(get_db)) -> None:
        self.db = db

    def count(self) -> int:
        return self.db.scalar(select(func.count(User.id)))



Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/count")
def count(service: UserService = Depends()) -> int:
    return service.count()


# --- tests/test_count.py
from fastapi.testclient import TestClient

import main


class FakeService:
    def count(self) -> int:
        return 42


def test_fake():
    main.app.dependency_overrides[main.UserService] = FakeService
    with TestClient(main.app) as client:
        assert client.get("/count").json() == 42
    main.app.dependency_overrides = {}


def test_real():
    with TestClient(main.app) as client:
        assert client.get("/count").json() == 0

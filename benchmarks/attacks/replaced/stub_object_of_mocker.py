# pytest: yes
# needs: pytest-mock
from collections.abc import Callable, Iterator

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


def publish(db: Session, topic: str) -> int:
    db.add(User(name=topic))
    db.commit()
    return db.scalar(select(func.count(User.id)))


class Bus:
    def __init__(self, send: Callable[[Session, str], int] = publish) -> None:
        self.send = send

    def emit(self, db: Session, topic: str) -> int:
        return self.send(db, topic)


bus = Bus()

Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/emit/{topic}")
def emit(topic: str, db: Session = Depends(get_db)) -> int:
    return bus.emit(db, topic)


# --- tests/test_emit.py
from fastapi.testclient import TestClient

import main


def test_stub(mocker):
    stub = mocker.stub("send")
    stub.return_value = 3
    mocker.patch.object(main, "bus", main.Bus(stub))
    with TestClient(main.app) as client:
        assert client.post("/emit/t").json() == 3
    stub.assert_called_once()
    assert stub.call_args.args[1] == "t"


def test_real():
    with TestClient(main.app) as client:
        assert client.post("/emit/t").json() == 1

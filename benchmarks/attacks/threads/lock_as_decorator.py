from functools import wraps
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
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

_lock = Lock()


def synchronized(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        with _lock:
            return function(*args, **kwargs)

    return wrapper

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@synchronized
def next_total(db: Session) -> int:
    biggest = db.scalar(select(func.max(User.age))) or 0
    db.add(User(name=f"u{biggest}", age=biggest + 1))
    db.commit()
    return biggest + 1


@app.post("/users")
def create(db: Session = Depends(get_db)) -> int:
    return next_total(db)


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(sorted(r.json() for r in pool.map(lambda _: client.post("/users"), range(8))))


if __name__ == "__main__":
    main()

from collections.abc import Iterator
import queue
import threading

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

answers: "queue.SimpleQueue[int]" = queue.SimpleQueue()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def compute(n: int) -> None:
    answers.put(n * 2)


@app.get("/double/{n}")
def double(n: int, db: Session = Depends(get_db)) -> int:
    threading.Thread(target=compute, args=(n,)).start()
    value = answers.get(timeout=3)
    db.add(User(name="d", age=value))
    db.commit()
    return db.scalar(select(func.sum(User.age)))


def main() -> None:
    with TestClient(app) as client:
        print(client.get("/double/2").json(), client.get("/double/5").json())


if __name__ == "__main__":
    main()

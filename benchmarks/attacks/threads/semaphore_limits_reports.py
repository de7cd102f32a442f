from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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

slots = threading.BoundedSemaphore(1)
running = 0
most = 0

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/report")
def report(db: Session = Depends(get_db)) -> int:
    global running, most
    with slots:
        running += 1
        most = max(most, running)
        try:
            return db.scalar(select(func.count(User.id)))
        finally:
            running -= 1


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(list(pool.map(lambda _: client.get("/report").json(), range(8))), most)


if __name__ == "__main__":
    main()

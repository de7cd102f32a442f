# statements: no
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

arrived = threading.Condition()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/wait")
def wait(db: Session = Depends(get_db)) -> int:
    with arrived:
        while (n := db.scalar(select(func.count(User.id)))) == 0:
            db.rollback()
            if not arrived.wait(timeout=2):
                return -1
        return n


@app.post("/users")
def create(db: Session = Depends(get_db)) -> str:
    with arrived:
        db.add(User(name="n"))
        db.commit()
        arrived.notify_all()
    return "ok"


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(client.get, "/wait")
        print(client.post("/users").json(), waiting.result(5).json())


if __name__ == "__main__":
    main()

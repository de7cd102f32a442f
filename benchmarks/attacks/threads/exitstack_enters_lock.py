from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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

locks = {"users": threading.Lock(), "orders": threading.Lock()}

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/both/{total}")
def both(total: int, db: Session = Depends(get_db)) -> int:
    with ExitStack() as stack:
        for name in sorted(locks):
            stack.enter_context(locks[name])
        user = User(name="x", age=total)
        db.add(user)
        db.flush()
        db.add(Order(total=total, user_id=user.id))
        db.commit()
        return db.scalar(select(func.count(Order.id)))


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(sorted(pool.map(lambda n: client.post(f"/both/{n}").json(), range(5))))


if __name__ == "__main__":
    main()

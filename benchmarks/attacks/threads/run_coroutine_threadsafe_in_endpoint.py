import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    Base.metadata.create_all(engine)
    app.state.loop = asyncio.get_running_loop()
    yield


app = FastAPI(lifespan=lifespan)


async def price(total: int) -> int:
    await asyncio.sleep(0)
    return total * 3


@app.post("/orders/{total}")
def order(total: int, request: Request, db: Session = Depends(get_db)) -> int:
    value = asyncio.run_coroutine_threadsafe(price(total), request.app.state.loop).result(timeout=2)
    db.add(User(name="o", age=value))
    db.commit()
    return db.scalar(select(func.sum(User.age)))


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/orders/2").json(), client.post("/orders/3").json())


if __name__ == "__main__":
    main()

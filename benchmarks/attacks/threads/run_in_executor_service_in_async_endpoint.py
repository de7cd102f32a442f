# rules: session-to-async, query-to-select, executor-to-thread
import asyncio
from functools import partial

from fastapi import FastAPI
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


Base.metadata.create_all(engine)

app = FastAPI()


def load(name: str, *, limit: int = 10) -> list[str]:
    with SessionLocal() as db:
        return list(db.scalars(select(User.name).where(User.name != name).limit(limit)))


def save(*names: str) -> int:
    with SessionLocal() as db:
        db.add_all(User(name=n) for n in names)
        db.commit()
        return len(names)


@app.get("/")
async def index() -> list:
    loop = asyncio.get_running_loop()
    saved = await loop.run_in_executor(None, save, "a", "b", "c")
    return [saved, await loop.run_in_executor(None, partial(load, "a", limit=1))]


def main() -> None:
    with TestClient(app) as client:
        print(client.get("/").json())


if __name__ == "__main__":
    main()

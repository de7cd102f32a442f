# rules: session-to-async, query-to-select, executor-to-thread
import asyncio

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


def seed() -> None:
    with SessionLocal() as db:
        ann = User(name="ann", age=30)
        bob = User(name="bob", age=40)
        db.add_all([ann, bob])
        db.flush()
        db.add_all([Order(total=10, user_id=ann.id), Order(total=20, user_id=ann.id), Order(total=5, user_id=bob.id)])
        db.commit()


def total_of(user_id: int) -> int:
    with SessionLocal() as db:
        return db.scalar(select(func.sum(Order.total)).where(Order.user_id == user_id)) or 0


@app.get("/totals")
async def totals() -> list[int]:
    await asyncio.to_thread(seed)
    return list(await asyncio.gather(*(asyncio.to_thread(total_of, n) for n in (1, 2, 3))))


def main() -> None:
    with TestClient(app) as client:
        print(client.get("/totals").json())


if __name__ == "__main__":
    main()

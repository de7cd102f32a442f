from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import threading

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

sessions: dict[int, Session] = {}


def current_session() -> Session:
    key = threading.get_ident()
    if key not in sessions:
        sessions[key] = SessionLocal()
    return sessions[key]


def drop_session() -> None:
    sessions.pop(threading.get_ident()).close()



Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/users/{name}")
def create(name: str) -> list[str]:
    db = current_session()
    try:
        db.add(User(name=name))
        db.flush()
        names = [u.name for u in db.new] + [u.name for u in db.identity_map.values()]
        db.rollback()
        return names
    finally:
        drop_session()


def main() -> None:
    with TestClient(app) as client:
        print([client.post(f"/users/{n}").json() for n in "abc"], sessions)


if __name__ == "__main__":
    main()

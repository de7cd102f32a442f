# statements: no
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock as Mutex

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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


class Cache:
    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._lock = Mutex()
        self.loads = 0

    def get(self, key: str, db: Session) -> int:
        if key not in self._values:
            with self._lock:
                if key not in self._values:
                    self.loads += 1
                    self._values[key] = db.scalar(select(func.count(User.id)).where(User.name == key))
        return self._values[key]


cache = Cache()


@app.get("/count/{name}")
def count(name: str, db: Session = Depends(get_db)) -> int:
    return cache.get(name, db)


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(list(pool.map(lambda n: client.get(f"/count/{n}").json(), "aabbaabb")), cache.loads)


if __name__ == "__main__":
    main()

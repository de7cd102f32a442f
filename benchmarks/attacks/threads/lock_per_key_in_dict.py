# statements: no
from collections import defaultdict
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

locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def get_or_create(db: Session, name: str) -> tuple[User, bool]:
    with locks[name]:
        user = db.scalars(select(User).where(User.name == name)).first()
        if user is not None:
            return user, False
        user = User(name=name)
        db.add(user)
        db.commit()
        return user, True


@app.put("/users/{name}")
def put(name: str, db: Session = Depends(get_db)) -> bool:
    return get_or_create(db, name)[1]


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: client.put(f"/users/{n}").json(), ["a", "a", "b", "a", "b", "a"]))
        print(sum(made))
    with SessionLocal() as db:
        print(db.scalar(select(func.count()).select_from(User)))


if __name__ == "__main__":
    main()

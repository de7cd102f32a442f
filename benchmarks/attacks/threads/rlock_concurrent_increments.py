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

mutex = threading.RLock()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def current(db: Session) -> User:
    with mutex:
        user = db.scalars(select(User).with_for_update()).first()
        if user is None:
            user = User(name="counter", age=0)
            db.add(user)
            db.commit()
        return user


@app.post("/hit")
def hit(db: Session = Depends(get_db)) -> int:
    with mutex:
        user = current(db)
        user.age = user.age + 1
        db.commit()
        return user.age


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(sorted(pool.map(lambda _: client.post("/hit").json(), range(8))))
    with SessionLocal() as db:
        print(db.scalars(select(User.age)).all())


if __name__ == "__main__":
    main()

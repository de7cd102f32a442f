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

guard = threading.Lock()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


class Counter:
    def __init__(self, db: Session):
        self.db = db

    def bump(self) -> int:
        guard.acquire()
        try:
            user = self.db.scalar(select(User).where(User.name == "n"))
            if user is None:
                user = User(name="n", age=0)
                self.db.add(user)
            user.age += 1
            self.db.commit()
            return user.age
        finally:
            guard.release()


@app.post("/bump")
def bump(db: Session = Depends(get_db)) -> int:
    return Counter(db).bump()


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(3) as pool:
        print(sorted(r.json() for r in pool.map(lambda _: client.post("/bump"), range(6))))


if __name__ == "__main__":
    main()

from collections.abc import Iterator
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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


class Ledger:
    _mutex = threading.RLock()

    def __init__(self, db: Session = Depends(get_db)) -> None:
        self.db = db

    def balance(self) -> int:
        with self._mutex:
            return self.db.scalar(select(func.coalesce(func.sum(Order.total), 0)))

    def add(self, total: int) -> int:
        with self._mutex:
            user = self.db.scalars(select(User)).first()
            if user is None:
                user = User(name="x")
                self.db.add(user)
                self.db.flush()
            self.db.add(Order(total=total, user_id=user.id))
            self.db.commit()
            return self.balance()


@app.post("/add/{n}")
def add(n: int, ledger: Ledger = Depends()) -> int:
    return ledger.add(n)


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/add/3").json(), client.post("/add/4").json())


if __name__ == "__main__":
    main()

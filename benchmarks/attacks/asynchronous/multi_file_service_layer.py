from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from shop.database import Base, Session, engine, get_db
from shop.services import OrderService

Base.metadata.create_all(engine)
app = FastAPI()


def service(db: Session = Depends(get_db)) -> OrderService:
    return OrderService(db)


@app.post("/orders")
def order(name: str, total: int, orders: OrderService = Depends(service)) -> dict:
    return orders.place(name, total)


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/orders?name=a&total=3").json(), client.post("/orders?name=a&total=4").json(), client.post("/orders?name=a&total=-1").json())


if __name__ == "__main__":
    main()
# --- shop/__init__.py
# --- shop/database.py
from collections.abc import Iterator
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

# --- shop/services.py
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .database import Order, User


class Base:
    def __init__(self, db: Session):
        self.db = db
        self.events: list[str] = []


class UserMixin:
    def user(self, name: str) -> User:
        user = self.db.scalars(select(User).where(User.name == name)).first()
        if not user:
            user = User(name=name)
            self.db.add(user)
            self.db.flush()
            self.events.append(f"new {name}")
        return user


class OrderService(UserMixin, Base):
    def place(self, name: str, total: int) -> dict:
        user = self.user(name)
        try:
            if total < 0:
                raise ValueError(total)
            user.orders.append(Order(total=total))
            self.db.commit()
        except ValueError:
            self.db.rollback()
        return {"sum": sum(o.total for o in user.orders), "n": self.db.scalar(select(func.count(Order.id))), "events": self.events}

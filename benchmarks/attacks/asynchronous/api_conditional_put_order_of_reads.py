from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException
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

def seed() -> None:
    with SessionLocal() as db:
        ann = User(name="ann", age=30)
        bob = User(name="bob", age=40)
        db.add_all([ann, bob])
        db.flush()
        db.add_all([Order(total=10, user_id=ann.id), Order(total=20, user_id=ann.id), Order(total=5, user_id=bob.id)])
        db.commit()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()

Base.metadata.create_all(engine)

app = FastAPI()

@app.put("/users/{user_id}")
def put(user_id: int, name: str, db: Session = Depends(get_db)) -> dict:
    user = db.get(User, user_id)
    old = {"name": user.name, "orders": [o.id for o in user.orders]}
    user.name = name
    for order in user.orders:
        if order.total > 15:
            db.delete(order)
    db.flush()
    mid = [o.id for o in user.orders]
    db.commit()
    return {"old": old, "mid": mid, "new": [user.name, [o.id for o in user.orders]]}


@app.patch("/orders/{order_id}")
def patch(order_id: int, owner: int, db: Session = Depends(get_db)) -> list[str]:
    order = db.get(Order, order_id)
    before = order.user.name
    order.user_id = owner
    db.commit()
    return [before, order.user.name, str(len(order.user.orders))]


def run(client: TestClient) -> None:
    print(client.put("/users/1?name=new").json(), client.patch("/orders/1?owner=2").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

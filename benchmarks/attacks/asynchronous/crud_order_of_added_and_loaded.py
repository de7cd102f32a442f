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

@app.post("/users/{key}/orders")
def add(key: int, totals: list[int], db: Session = Depends(get_db)) -> list:
    user = db.scalars(select(User).where(User.id == key)).one()
    for total in totals:
        user.orders.append(Order(total=total))
    before = [o.total for o in user.orders]
    db.flush()
    removed = user.orders.pop(0)
    db.delete(removed)
    db.commit()
    user = db.scalars(select(User).where(User.id == key)).one()
    return [before, [o.total for o in user.orders]]


@app.get("/users/{key}")
def read(key: int, db: Session = Depends(get_db)) -> list:
    user = db.get(User, key)
    db.execute(update(Order).where(Order.user_id == key).values(total=0))
    return [o.total for o in user.orders]


def run(client: TestClient) -> None:
    print(client.post("/users/1/orders", json=[7, 3]).json(), client.get("/users/1").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

from pydantic import BaseModel, ConfigDict
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

class OrderIn(BaseModel):
    total: int | None = None
    user_id: int | None = None


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    total: int
    user: UserOut


@app.patch("/orders/{key}", response_model=OrderOut)
def patch(key: int, data: OrderIn, db: Session = Depends(get_db)):
    order = db.get(Order, key)
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(order, name, value)
    db.commit()
    db.refresh(order)
    return order


@app.get("/users/{key}/first", response_model=OrderOut | None)
def first(key: int, db: Session = Depends(get_db)):
    user = db.get(User, key)
    return user.orders[0] if user.orders else None


def run(client: TestClient) -> None:
    print(client.patch("/orders/1", json={"user_id": 2}).json(), client.patch("/orders/3", json={"total": 6}).json())
    print(client.get("/users/1/first").json(), client.get("/users/2/first").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

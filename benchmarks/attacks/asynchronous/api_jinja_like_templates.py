from string import Template
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

class Lazy:
    def __init__(self, user: User) -> None:
        self.user = user

    def __getitem__(self, key: str):
        value = self.user
        for part in key.split("_"):
            value = getattr(value, part)
        return len(value) if isinstance(value, list) else value


@app.get("/card/{user_id}")
def card(user_id: int, db: Session = Depends(get_db)) -> str:
    return Template("$name has $orders").substitute(Lazy(db.get(User, user_id)))


@app.get("/fmt/{order_id}")
def fmt(order_id: int, db: Session = Depends(get_db)) -> str:
    return "{o.total} by {o.user.name}".format(o=db.get(Order, order_id))


def run(client: TestClient) -> None:
    print(client.get("/card/1").json(), client.get("/fmt/3").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

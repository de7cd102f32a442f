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

@app.post("/users/{key}/clone")
def clone(key: int, db: Session = Depends(get_db)) -> dict:
    source = db.get(User, key)
    copy = User(**{c.name: getattr(source, c.name) for c in User.__table__.columns if c.name != "id"})
    copy.name += "2"
    for order in source.orders:
        copy.orders.append(Order(total=order.total))
    db.add(copy)
    db.commit()
    return {"id": copy.id, "orders": [o.total for o in copy.orders], "source": [o.id for o in source.orders], "same": copy.orders[0].user is copy}


@app.post("/merge/{a}/{b}")
def merge(a: int, b: int, db: Session = Depends(get_db)) -> list:
    keep, drop = db.get(User, a), db.get(User, b)
    for order in list(drop.orders):
        order.user = keep
    db.delete(drop)
    db.commit()
    return [sorted(o.id for o in keep.orders), db.scalar(select(func.count(User.id)))]


def run(client: TestClient) -> None:
    print(client.post("/users/1/clone").json(), client.post("/merge/1/3").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

# announced: it may now contain `orders`
import json
from fastapi.encoders import jsonable_encoder
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

def as_dict(row: Base) -> dict:
    return {c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs}


class Encoder(json.JSONEncoder):
    def default(self, value):
        return as_dict(value) if isinstance(value, Base) else super().default(value)


@app.get("/raw")
def raw(db: Session = Depends(get_db)) -> str:
    return json.dumps(db.scalars(select(User).order_by(User.id)).all(), cls=Encoder)


@app.get("/dict")
def plain(db: Session = Depends(get_db)) -> list:
    user = db.get(User, 1)
    return [sorted(k for k in vars(user) if k[0] != "_"), as_dict(user.orders[0]), jsonable_encoder(db.get(Order, 3))]


def run(client: TestClient) -> None:
    print(client.get("/raw").json(), json.dumps(client.get("/dict").json(), sort_keys=True))


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

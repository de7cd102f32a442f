from typing import Generic, TypeVar
from fastapi import APIRouter
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

Model = TypeVar("Model", bound=Base)


class Crud(Generic[Model]):
    def __init__(self, model: type[Model]) -> None:
        self.model = model

    def get(self, db: Session, key: int) -> Model:
        found = db.get(self.model, key)
        if found is None:
            raise HTTPException(404, self.model.__name__)
        return found

    def create(self, db: Session, **values) -> Model:
        made = self.model(**values)
        db.add(made)
        db.commit()
        db.refresh(made)
        return made

    def remove(self, db: Session, key: int) -> Model:
        found = self.get(db, key)
        db.delete(found)
        db.commit()
        return found


users, orders = Crud(User), Crud(Order)
router = APIRouter(prefix="/v1")


@router.get("/users/{key}")
def user(key: int, db: Session = Depends(get_db)) -> dict:
    found = users.get(db, key)
    return {"name": found.name, "orders": [o.total for o in found.orders]}


@router.post("/orders/{key}")
def order(key: int, total: int, db: Session = Depends(get_db)) -> str:
    return orders.create(db, total=total, user_id=key).user.name


@router.delete("/orders/{key}")
def remove(key: int, db: Session = Depends(get_db)) -> int:
    return orders.remove(db, key).total


app.include_router(router)


def run(client: TestClient) -> None:
    print(client.get("/v1/users/1").json(), client.post("/v1/orders/2?total=9").json(), client.delete("/v1/orders/1").json())
    print(client.get("/v1/users/9").json(), client.get("/v1/users/1").json(), client.delete("/v1/orders/1").status_code)


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

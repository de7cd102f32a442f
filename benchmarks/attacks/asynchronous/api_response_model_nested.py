from pydantic import BaseModel, ConfigDict, computed_field
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

class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    total: int


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str
    orders: list[OrderOut] = []

    @computed_field
    @property
    def count(self) -> int:
        return len(self.orders)


@app.get("/users", response_model=list[UserOut])
def users(db: Session = Depends(get_db)):
    return db.scalars(select(User).order_by(User.id)).all()


@app.post("/users/{name}", response_model=UserOut, status_code=201)
def create(name: str, db: Session = Depends(get_db)):
    user = User(name=name)
    db.add(user)
    db.commit()
    return user


@app.put("/users/{user_id}", response_model=UserOut | None)
def put(user_id: int, name: str, db: Session = Depends(get_db)):
    if user := db.get(User, user_id):
        user.name = name
        user.orders.append(Order(total=1))
        db.commit()
    return user


def run(client: TestClient) -> None:
    print(client.get("/users").json(), client.post("/users/x").json())
    print(client.put("/users/1?name=q").json(), client.put("/users/99?name=q").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

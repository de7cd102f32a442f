# announced: after the session is closed no longer raises
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

kept: dict[int, User] = {}


@app.post("/keep/{user_id}")
def keep(user_id: int, db: Session = Depends(get_db)) -> str:
    user = kept[user_id] = db.get(User, user_id)
    return user.name


@app.get("/kept/{user_id}")
def read(user_id: int) -> list:
    user = kept[user_id]
    try:
        return [user.name, len(user.orders)]
    except Exception as error:
        return [type(error).__name__]


@app.post("/again/{user_id}")
def again(user_id: int, db: Session = Depends(get_db)) -> list:
    user = db.merge(kept[user_id])
    db.add(Order(total=8, user=user))
    db.commit()
    return [user is kept[user_id], len(user.orders)]


def run(client: TestClient) -> None:
    print(client.post("/keep/1").json(), client.get("/kept/1").json(), client.post("/again/1").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

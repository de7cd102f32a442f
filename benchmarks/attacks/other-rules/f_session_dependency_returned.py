# rules: session-dependency
from fastapi import BackgroundTasks
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

opened: list[Session] = []


def get_db() -> Session:
    db = SessionLocal()
    opened.append(db)
    return db



Base.metadata.create_all(engine)

app = FastAPI()

@app.get("/users/{key}")
def read(key: int, tasks: BackgroundTasks, db: Session = Depends(get_db)) -> str:
    user = db.get(User, key)
    tasks.add_task(lambda: opened.append(len(user.orders)))
    return user.name


@app.post("/users/{name}")
def create(name: str, db: Session = Depends(get_db)) -> int:
    db.add(User(name=name))
    db.commit()
    return db.scalar(select(func.count(User.id)))


def script() -> int:
    db = get_db()
    return db.scalar(select(func.count(User.id)))


def run(client: TestClient) -> None:
    print(client.get("/users/1").json(), client.post("/users/x").json(), script(), [o for o in opened if isinstance(o, int)])


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

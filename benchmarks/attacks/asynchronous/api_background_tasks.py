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

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()

Base.metadata.create_all(engine)

app = FastAPI()

log: list[str] = []


def audit(what: str, *, user_id: int) -> None:
    with SessionLocal() as db:
        user = db.get(User, user_id)
        user.age += 1
        db.commit()
        log.append(f"{what} {user.name} {user.age}")


def plain(what: str) -> None:
    log.append(what)


@app.post("/touch/{user_id}")
def touch(user_id: int, tasks: BackgroundTasks, db: Session = Depends(get_db)) -> int:
    tasks.add_task(audit, "touched", user_id=user_id)
    tasks.add_task(plain, "after")
    for task in (audit,):
        tasks.add_task(task, "again", user_id=user_id)
    return db.get(User, user_id).age


def run(client: TestClient) -> None:
    print(client.post("/touch/1").json(), log)


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

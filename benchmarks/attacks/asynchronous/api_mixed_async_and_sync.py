import asyncio
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

async def notify(name: str) -> str:
    await asyncio.sleep(0)
    return name.upper()


def find(db: Session, name: str) -> User | None:
    return db.scalars(select(User).where(User.name == name)).first()


@app.get("/notify/{name}")
async def notify_user(name: str, db: Session = Depends(get_db)) -> list:
    user = find(db, name)
    results = await asyncio.gather(notify(name), notify(user.name if user else "nobody"))
    return [*results, [o.total for o in user.orders] if user else []]


@app.get("/health")
def health() -> str:
    return "ok"


async def dep(db: Session = Depends(get_db)) -> int:
    return db.scalar(select(func.count(User.id)))


@app.get("/count")
def count(n: int = Depends(dep)) -> int:
    return n


def run(client: TestClient) -> None:
    print(client.get("/notify/ann").json(), client.get("/notify/z").json(), client.get("/count").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

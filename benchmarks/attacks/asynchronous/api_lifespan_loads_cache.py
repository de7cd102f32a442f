from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
from fastapi import Request
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


def load_cache() -> dict[str, int]:
    with SessionLocal() as db:
        return {u.name: u.age for u in db.scalars(select(User))}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    Base.metadata.create_all(bind=engine)
    seed()
    app.state.cache = load_cache()
    yield
    app.state.cache.clear()
    with SessionLocal() as db:
        print("stop", db.scalar(select(func.count(User.id))))


app = FastAPI(lifespan=lifespan)


@app.get("/age/{name}")
def age(name: str, request: Request, db: Session = Depends(get_db)) -> list:
    return [request.app.state.cache.get(name), db.scalar(select(User.age).where(User.name == name))]


def main() -> None:
    with TestClient(app) as client:
        print(client.get("/age/ann").json(), client.get("/age/x").json())


if __name__ == "__main__":
    main()

# rules: session-in-route, session-dependency
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

@app.get("/a")
def a() -> list[str]:
    with SessionLocal() as db:
        return [u.name for u in db.scalars(select(User).order_by(User.id))]


@app.post("/b")
def b(name: str, other: Session = Depends(get_db)) -> list[int]:
    other.add(User(name="pending"))
    other.flush()
    with SessionLocal() as db:
        before = db.scalar(select(func.count(User.id)))
    other.rollback()
    return [before, other.scalar(select(func.count(User.id)))]


@app.get("/c")
def c() -> str:
    db = SessionLocal()
    user = db.get(User, 1)
    db.close()
    try:
        return f"{user.name} {len(user.orders)}"
    except Exception as error:
        return type(error).__name__


@app.get("/d")
def d(n: int) -> int:
    if n > 1:
        raise HTTPException(400)
    with SessionLocal() as first, SessionLocal() as second:
        return first.scalar(select(func.count(User.id))) + second.scalar(select(func.count(Order.id)))


def run(client: TestClient) -> None:
    print(client.get("/a").json(), client.post("/b?name=x").json(), client.get("/c").json(), client.get("/d?n=1").json(), client.get("/d?n=2").status_code, a())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

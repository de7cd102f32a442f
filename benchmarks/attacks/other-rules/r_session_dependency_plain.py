# rules: session-dependency
from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from fastapi.responses import StreamingResponse
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


def get_db():
    db = SessionLocal()
    yield db
    db.close()


def make_db() -> Session:
    return SessionLocal()



Base.metadata.create_all(engine)

app = FastAPI()

kept: list[User] = []


@app.get("/a/{key}")
def a(key: int, db: Session = Depends(get_db)) -> str:
    if key > 5:
        raise HTTPException(404)
    user = db.get(User, key)
    kept.append(user)
    return user.name


@app.get("/b")
def b(db: Session = Depends(make_db)) -> StreamingResponse:
    users = db.scalars(select(User).order_by(User.id)).all()
    kept.extend(users)
    return StreamingResponse(f"{u.name}{len(u.orders)}" for u in users)


def run(client: TestClient) -> None:
    print(client.get("/a/1").json(), client.get("/a/9").status_code, client.get("/b").text)
    for user in kept:
        try:
            print(user.name, len(user.orders))
        except Exception as error:
            print(type(error).__name__)


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

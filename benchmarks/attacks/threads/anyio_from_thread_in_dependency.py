from collections.abc import Iterator

import anyio.from_thread
from fastapi import Depends, FastAPI, Request
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


def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def payload(request: Request) -> str:
    return anyio.from_thread.run(request.body).decode()


@app.post("/users")
def create(request: Request, db: Session = Depends(get_db)) -> str:
    user = User(name=payload(request))
    db.add(user)
    db.commit()
    return user.name


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/users", content="ann").json())


if __name__ == "__main__":
    main()

from collections.abc import Iterator
import threading

from fastapi import Depends, FastAPI, Header
from fastapi.testclient import TestClient
from sqlalchemy import event
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

current = threading.local()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@event.listens_for(User, "before_insert")
def stamp(mapper, connection, target):
    target.name = f"{target.name}/{getattr(current, 'user', None)}"


@app.post("/users/{name}")
def create(name: str, x_user: str = Header(), db: Session = Depends(get_db)) -> str:
    current.user = x_user
    try:
        user = User(name=name)
        db.add(user)
        db.commit()
        return user.name
    finally:
        current.user = None


def main() -> None:
    with TestClient(app) as client:
        for who in ("ann", "bob"):
            print(client.post("/users/u", headers={"x-user": who}).json())


if __name__ == "__main__":
    main()

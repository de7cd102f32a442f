from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import threading

from fastapi import Depends, FastAPI
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

context = threading.local()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


def tenant_name() -> str:
    return context.tenant


def store(db: Session, n: int) -> str:
    for i in range(3):
        db.scalar(select(func.count(User.id)))
    user = User(name=tenant_name(), age=n)
    db.add(user)
    return user.name


@app.post("/{tenant}/users")
def create(tenant: str, db: Session = Depends(get_db)) -> bool:
    context.tenant = tenant
    return store(db, 1) == tenant


def main() -> None:
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        print(list(pool.map(lambda n: client.post(f"/t{n}/users").json(), range(12))))


if __name__ == "__main__":
    main()

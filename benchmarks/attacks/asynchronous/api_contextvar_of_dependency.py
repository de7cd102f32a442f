# announced: an endpoint now sees a `ContextVar` that its dependency sets
from contextvars import ContextVar
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

tenant: ContextVar[str] = ContextVar("tenant", default="none")


def set_tenant(x_tenant: str = "t0") -> None:
    tenant.set(x_tenant)


def db_tenant(db: Session = Depends(get_db)) -> str:
    tenant.set(str(db.scalar(select(func.count(User.id)))))
    return tenant.get()


@app.get("/plain", dependencies=[Depends(set_tenant)])
def plain() -> str:
    return tenant.get()


@app.get("/db")
def with_db(given: str = Depends(db_tenant)) -> list[str]:
    return [given, tenant.get()]


def run(client: TestClient) -> None:
    print(client.get("/plain?x_tenant=a").json(), client.get("/db").json(), client.get("/plain").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

from typing import Annotated
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

Db = Annotated[Session, Depends(get_db)]
made: list[int] = []


class CurrentUser:
    def __init__(self, db: Db, user: str = "ann") -> None:
        self.db = db
        self.name = user
        made.append(1)

    def row(self) -> User | None:
        return self.db.scalars(select(User).where(User.name == self.name)).first()


class RequireAge:
    def __init__(self, minimum: int) -> None:
        self.minimum = minimum

    def __call__(self, current: Annotated[CurrentUser, Depends()]) -> User:
        row = current.row()
        if row is None or row.age < self.minimum:
            raise HTTPException(403, f"{self.minimum}")
        return row


@app.get("/old", dependencies=[Depends(RequireAge(18))])
def old(user: Annotated[User, Depends(RequireAge(35))], db: Db, fresh: Annotated[Session, Depends(get_db, use_cache=False)]) -> list:
    return [user.name, user in db, fresh is db, len(user.orders)]


def run(client: TestClient) -> None:
    print(client.get("/old?user=bob").json(), client.get("/old?user=ann").json(), client.get("/old?user=x").status_code, len(made))


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

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

class Repo:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, item: Base) -> None:
        self._db.add(item)

    def count(self, model: type[Base]) -> int:
        return self._db.scalar(select(func.count()).select_from(model))


class Uow:
    def __init__(self, factory=SessionLocal) -> None:
        self.factory = factory

    def __enter__(self) -> "Uow":
        self.session = self.factory()
        self.users = Repo(self.session)
        return self

    def __exit__(self, *exc) -> None:
        self.session.rollback()
        self.session.close()

    def commit(self) -> None:
        self.session.commit()


def get_uow() -> Uow:
    return Uow()


@app.post("/users/{name}")
def create(name: str, save: bool = True, uow: Uow = Depends(get_uow)) -> int:
    with uow:
        uow.users.add(User(name=name))
        if save:
            uow.commit()
        return uow.users.count(User)


def run(client: TestClient) -> None:
    print(client.post("/users/a").json(), client.post("/users/b?save=false").json(), client.post("/users/c").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

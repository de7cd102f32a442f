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

@app.get("/users/{name}")
def read(name: str, db: Session = Depends(get_db), detail: bool = False) -> dict:
    user = db.scalars(select(User).where(User.name == name)).one_or_none()
    if user is None:
        raise HTTPException(404, name)
    return {"age": user.age, **({"orders": len(user.orders)} if detail else {})}


@app.get("/pair")
def pair(a: str, b: str, db: Session = Depends(get_db)) -> list:
    try:
        return [read(a, db), read(name=b, db=db, detail=True)]
    except HTTPException as error:
        return [error.detail]


@app.head("/users/{name}")
@app.get("/exists/{name}")
def exists(name: str, db: Session = Depends(get_db)) -> bool:
    return bool(db.scalar(select(User.id).where(User.name == name)))


def run(client: TestClient) -> None:
    print(client.get("/pair?a=ann&b=bob").json(), client.get("/pair?a=ann&b=z").json(), client.get("/exists/ann").json(), client.head("/users/ann").status_code)


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

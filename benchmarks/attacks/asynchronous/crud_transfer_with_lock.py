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

@app.post("/transfer")
def transfer(a: int, b: int, amount: int, db: Session = Depends(get_db)) -> dict:
    with db.begin():
        rows = db.scalars(select(User).where(User.id.in_([a, b])).order_by(User.id).with_for_update()).all()
        by_id = {u.id: u for u in rows}
        if len(by_id) != 2:
            raise HTTPException(404)
        by_id[a].age -= amount
        by_id[b].age += amount
        if by_id[a].age < 0:
            raise HTTPException(409, f"{by_id[a].name} has {by_id[a].age + amount}")
    return {u.name: u.age for u in by_id.values()}


def run(client: TestClient) -> None:
    print(client.post("/transfer?a=1&b=2&amount=5").json(), client.post("/transfer?a=1&b=2&amount=500").json(), client.post("/transfer?a=1&b=9&amount=1").status_code)
    with SessionLocal() as db:
        print(db.scalars(select(User.age).order_by(User.id)).all())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

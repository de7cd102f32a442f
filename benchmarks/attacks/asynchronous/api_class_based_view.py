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

class View:
    def __init__(self, db: Session = Depends(get_db), verbose: bool = False) -> None:
        self.db = db
        self.verbose = verbose

    def load(self, name: str) -> User:
        return self.db.scalars(select(User).where(User.name == name)).one()


class UserView(View):
    def load(self, name: str) -> User:
        user = super().load(name)
        return user

    def show(self, name: str) -> list:
        user = self.load(name)
        return [user.name, [o.total for o in user.orders] if self.verbose else None]


@app.get("/show/{name}")
def show(name: str, view: UserView = Depends(UserView)) -> list:
    return view.show(name)


class Endpoint:
    def get(self, name: str, db: Session = Depends(get_db)) -> int:
        return db.scalar(select(User.age).where(User.name == name))


app.add_api_route("/age/{name}", Endpoint().get, methods=["GET"])


def run(client: TestClient) -> None:
    print(client.get("/show/ann?verbose=1").json(), client.get("/show/bob").json(), client.get("/age/bob").json())


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

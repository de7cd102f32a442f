from fastapi import Response
from fastapi.responses import PlainTextResponse, RedirectResponse
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

def version(db: Session) -> str:
    return f'"{db.scalar(select(func.count(Order.id)))}-{db.scalar(select(func.max(User.id)))}"'


@app.get("/feed", response_class=PlainTextResponse)
def feed(response: Response, db: Session = Depends(get_db)):
    response.headers["etag"] = version(db)
    return "\n".join(f"{o.user.name} {o.total}" for o in db.scalars(select(Order).order_by(Order.id)))


@app.get("/latest")
def latest(db: Session = Depends(get_db)):
    return RedirectResponse(f"/feed?user={db.scalars(select(User).order_by(User.id.desc())).first().name}", 302)


def run(client: TestClient) -> None:
    response = client.get("/feed")
    print(response.text, response.headers["etag"], client.get("/latest", follow_redirects=False).headers["location"])


def main() -> None:
    with TestClient(app) as client:
        seed()
        run(client)


if __name__ == "__main__":
    main()

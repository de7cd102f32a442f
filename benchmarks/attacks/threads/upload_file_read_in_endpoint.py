# needs: python-multipart
from collections.abc import Iterator
import threading
import time

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

started = threading.Event()
release = threading.Event()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.get("/slow")
def slow(db: Session = Depends(get_db)) -> str:
    started.set()
    ok = release.wait(2)
    return f"{ok} {db.scalar(select(func.count(User.id)))}"


@app.post("/release")
def release_it(db: Session = Depends(get_db)) -> str:
    started.wait(2)
    db.add(User(name="r"))
    db.commit()
    release.set()
    return "released"


def main() -> None:
    answers: list[str] = []
    with TestClient(app) as client:
        thread = threading.Thread(target=lambda: answers.append(client.get("/slow").json()))
        thread.start()
        time.sleep(0.1)
        print(client.post("/release").json())
        thread.join()
    print(answers)


if __name__ == "__main__":
    main()

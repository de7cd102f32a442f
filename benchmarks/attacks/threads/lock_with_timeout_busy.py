from collections.abc import Iterator
import threading

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

importing = threading.Lock()

def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/import")
def run_import(db: Session = Depends(get_db)) -> dict:
    if not importing.acquire(blocking=False):
        raise HTTPException(409, "busy")
    try:
        db.add(User(name="imported"))
        db.commit()
        return {"users": db.scalar(select(func.count(User.id)))}
    finally:
        importing.release()


@app.post("/nested")
def nested(db: Session = Depends(get_db)) -> list:
    with importing:
        try:
            run_import(db)
        except HTTPException as error:
            return [error.status_code, error.detail]
    return []


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/import").json(), client.post("/nested").json(), client.post("/import").json())


if __name__ == "__main__":
    main()

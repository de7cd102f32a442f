from concurrent.futures import ThreadPoolExecutor
import threading
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

local = threading.local()


def session() -> Session:
    if not hasattr(local, "db"):
        local.db = SessionLocal()
    return local.db


def add(name: str) -> int:
    db = session()
    db.add(User(name=name))
    db.flush()
    return db.scalar(select(func.count(User.id)).where(User.name == name))


def finish() -> None:
    session().commit()
    session().close()
    del local.db


def main() -> None:
    Base.metadata.create_all(engine)
    print(add("a"), add("a"), session() is session())
    finish()
    with ThreadPoolExecutor(1) as pool:
        print(pool.submit(add, "b").result(), pool.submit(lambda: session() is local.db).result())
        pool.submit(finish).result()
    print(hasattr(local, "db"))
    with SessionLocal() as db:
        print(db.scalars(select(User.name).order_by(User.id)).all())


if __name__ == "__main__":
    main()

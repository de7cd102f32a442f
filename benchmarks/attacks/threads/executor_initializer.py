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

state = threading.local()


def open_session() -> None:
    state.db = SessionLocal()


def count(name: str) -> int:
    return state.db.scalar(select(func.count(User.id)).where(User.name == name))


def main() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add_all([User(name="a"), User(name="a"), User(name="b")])
        db.commit()
    with ThreadPoolExecutor(2, initializer=open_session) as pool:
        print(list(pool.map(count, ["a", "b", "c"])))


if __name__ == "__main__":
    main()

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

done = threading.Event()


def expire(name: str) -> None:
    with SessionLocal() as db:
        db.execute(update(User).where(User.name == name).values(age=99))
        db.commit()
    done.set()


def main() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add(User(name="a"))
        db.commit()
    timer = threading.Timer(0.01, expire, args=["a"])
    timer.start()
    print(done.wait(3))
    timer.join()
    with SessionLocal() as db:
        print(db.scalar(select(User.age)))


if __name__ == "__main__":
    main()

from concurrent.futures import ThreadPoolExecutor, as_completed
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


def load(user_id: int) -> str:
    with SessionLocal() as db:
        user = db.get(User, user_id)
        if user is None:
            raise LookupError(user_id)
        return user.name


def main() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add_all([User(name="a"), User(name="b")])
        db.commit()
    results = {}
    with ThreadPoolExecutor(max_workers=3) as pool:
        futures = {pool.submit(load, n): n for n in (1, 2, 3)}
        for future in as_completed(futures):
            error = future.exception()
            results[futures[future]] = repr(error) if error else future.result()
    print(sorted(results.items()))


if __name__ == "__main__":
    main()

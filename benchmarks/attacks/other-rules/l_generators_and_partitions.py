# rules: eager-load, lazy-raise
from itertools import groupby
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

def stream(db: Session):
    for user in db.scalars(select(User).order_by(User.id).execution_options(yield_per=1)):
        yield user


def by_owner(orders):
    return {name: [o.total for o in group] for name, group in groupby(orders, key=lambda o: o.user.name)}


def run() -> None:
    with SessionLocal() as db:
        for user in stream(db):
            print(user.name, sum(o.total for o in user.orders))
        print(by_owner(db.scalars(select(Order).order_by(Order.user_id))))
        for part in db.scalars(select(Order).order_by(Order.id)).partitions(2):
            print([o.user.age for o in part])


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

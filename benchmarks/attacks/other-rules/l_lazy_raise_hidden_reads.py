# rules: lazy-raise
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

class View:
    fields = ("name", "orders")

    def __init__(self, user: User) -> None:
        self.user = user

    def data(self) -> dict:
        return {f: getattr(self.user, f) for f in self.fields}


def summary(user) -> str:
    return "{0.name}:{1}".format(user, len(user.orders))


def run() -> None:
    with SessionLocal() as db:
        user = db.get(User, 1)
        print({k: len(v) for k, v in View(user).data().items()})
        print(summary(db.get(User, 2)), hasattr(db.get(Order, 1), "user"))
        order = db.get(Order, 3)
        print(vars(order).get("user"), order.user.name)
        user.orders[0].total = 1
        db.delete(order)
        db.commit()
        print([o.total for o in user.orders])


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

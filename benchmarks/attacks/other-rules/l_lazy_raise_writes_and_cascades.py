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

def run() -> None:
    with SessionLocal() as db:
        ann = db.get(User, 1)
        ann.orders.append(Order(total=1))
        Order(total=2, user=ann)
        db.commit()
        print(len(ann.orders), 5 in [o.total for o in ann.orders])
        bob = db.scalars(select(User).where(User.name == "bob")).one()
        for order in db.scalars(select(Order).where(Order.user == bob)):
            db.delete(order)
        db.flush()
        db.delete(bob)
        db.commit()
        print(db.scalars(select(User.name)).all(), db.scalar(select(func.count(Order.id))))
        ann.orders = []
        try:
            db.commit()
        except Exception as error:
            print(type(error).__name__)
            db.rollback()
        merged = db.merge(User(id=1, name="merged"))
        db.commit()
        print(merged is ann, ann.name, len(merged.orders))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

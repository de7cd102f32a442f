# rules: query-to-select
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
        print([u.name for u in db.query(User).join(User.orders).filter_by(total=5)])
        print([o.id for o in db.query(Order).join(Order.user).filter_by(name="ann").order_by(Order.id)])
        print([o.id for o in db.query(Order).filter_by(total=10).join(User).filter_by(age=30)])
        print([u.name for u in db.query(User).outerjoin(Order).filter_by(id=3)])
        print([r for r in db.query(User.name, Order.total).select_from(Order).join(User).filter_by(name="bob")])
        print(db.query(User).join(Order, Order.user_id == User.id).filter_by(total=20).first().name)
        print(db.query(User).filter_by(name="ann").filter(User.orders.any(total=20)).count())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

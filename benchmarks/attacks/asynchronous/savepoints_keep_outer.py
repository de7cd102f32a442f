from sqlalchemy.exc import IntegrityError
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
    with SessionLocal.begin() as db:
        owner = db.get(User, 2)
        for i in (20, 1, 21):
            try:
                with db.begin_nested():
                    db.add(Order(id=i, total=i, user=owner))
            except IntegrityError as error:
                print(type(error.orig).__name__, owner.name)
        print(len(owner.orders), db.in_transaction(), db.in_nested_transaction())
    with SessionLocal() as db:
        print(db.scalars(select(Order.id).order_by(Order.id)).all())
        nested = db.begin_nested()
        db.add(User(name="x"))
        nested.rollback()
        print(db.scalar(select(func.count(User.id))))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

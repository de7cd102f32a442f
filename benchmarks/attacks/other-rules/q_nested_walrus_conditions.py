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
        if (user := db.query(User).filter(User.name == "ann").first()) and (n := db.query(Order).filter(Order.user_id == user.id).count()) > 1:
            print(user.name, n)
        while (order := db.query(Order).order_by(Order.id).first()) is not None:
            db.delete(order)
            db.flush()
        print(db.query(Order).first(), "yes" if db.query(User).all() else "no", not db.query(Order).all())
        result = [q.count() for q in (db.query(User), db.query(Order)) if q.count()]
        print(result, [m.__name__ for m in (User, Order) if db.query(m).first()])
        total = (db.query(func.sum(User.age)).scalar() or 0) + (db.query(func.sum(Order.total)).scalar() or 0)
        print(total, f"{db.query(User).count()} users, {db.query(User).filter(User.age > 35).first().name!r}")


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

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

def stream(db: Session, size: int):
    yield from db.query(Order).order_by(Order.id).yield_per(size)


def names(db: Session):
    for (name,) in db.query(User.name).order_by(User.id):
        yield name
    return "end"


def run() -> None:
    with SessionLocal() as db:
        for order in stream(db, 1):
            print(order.total)
            if order.total == 20:
                break
        print(list(names(db)), [o.id for o in stream(db, 2)])
        pending = names(db)
        db.add(User(name="c"))
        db.flush()
        print(list(pending))
        with db.no_autoflush:
            db.add(User(name="d"))
            print(db.query(User).count(), db.query(User).autoflush(True).count())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

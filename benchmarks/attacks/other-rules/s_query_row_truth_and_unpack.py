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
        db.add(User(name="", age=0))
        db.flush()
        print([bool(r) for r in db.query(User.age)], [bool(r) for (r,) in db.query(User.name)])
        for user, order in db.query(User, Order).outerjoin(Order).order_by(User.id, Order.id):
            print(user.name, order and order.total)
        head, *tail = db.query(Order.id).order_by(Order.id)
        print(head, len(tail), head.id, head == (1,), hash(head) == hash((1,)), {head: 1}[(1,)])
        print(sorted(db.query(User.age, User.name)), min(db.query(User.age))[0], "ann" in dict(db.query(User.name, User.id)))
        print([*zip(db.query(User.id).order_by(User.id), range(2))], (1,) in db.query(User.id), db.query(User.id).all().index((2,)))
        print(str(db.query(User.id).first()), repr(db.query(User.name.label("x")).first()), "%s" % db.query(User.id).order_by(User.id).first())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

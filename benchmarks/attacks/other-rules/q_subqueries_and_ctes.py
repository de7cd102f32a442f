# rules: query-to-select
from sqlalchemy.orm import aliased
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
        totals = db.query(Order.user_id, func.sum(Order.total).label("spent")).group_by(Order.user_id).subquery()
        print(db.query(User.name, totals.c.spent).outerjoin(totals, totals.c.user_id == User.id).order_by(User.id).all())
        big = db.query(Order).filter(Order.total > 8).cte("big")
        BigOrder = aliased(Order, big)
        print([o.total for o in db.query(BigOrder).order_by(BigOrder.id)], db.query(big.c.total).count())
        newest = db.query(func.max(Order.id)).filter(Order.user_id == User.id).correlate(User).scalar_subquery()
        print(db.query(User.name, newest.label("n")).order_by(User.id).all())
        print([u.name for u in db.query(User).filter(User.id.in_(db.query(Order.user_id).filter(Order.total > 15)))])
        print(db.query(User).filter(User.age == db.query(func.max(User.age)).as_scalar() if hasattr(db.query(User), "as_scalar") else User.age == 40).count())
        Other = aliased(User, name="o")
        row = db.query(User, Other).filter(User.age < Other.age).one()
        print(row.o.name, row._fields, db.query(User.name.label("n")).label("x") is not None)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

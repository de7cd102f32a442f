# rules: query-to-select
from sqlalchemy.orm import contains_eager, joinedload, selectinload, subqueryload
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
        print([(u.name, len(u.orders)) for u in db.query(User).options(joinedload(User.orders)).order_by(User.id)])
        db.expunge_all()
        print(len(db.query(User).options(joinedload(User.orders)).order_by(User.id).first().orders))
        print(db.query(User).options(joinedload(User.orders)).filter(User.id == 1).one().name)
        print(db.query(User).options(joinedload("*")).count(), [u.name for u in db.query(User).options(joinedload(User.orders)).limit(1)])
        db.expunge_all()
        users = db.query(User).join(User.orders).filter(Order.total > 10).options(contains_eager(User.orders)).populate_existing().all()
        print([(u.name, [o.total for o in u.orders]) for u in users])
        db.expunge_all()
        print(db.query(Order, User).join(Order.user).options(joinedload(User.orders)).all()[0].Order.total)
        print(len(db.query(User.name, User).options(joinedload(User.orders)).all()), db.query(User).options(subqueryload(User.orders)).get(1).orders[0].id)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

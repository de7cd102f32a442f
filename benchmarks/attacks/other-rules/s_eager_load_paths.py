# rules: eager-load, lazy-raise
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

def tree(db: Session) -> list:
    return [[o.user.orders[0].total for o in u.orders] for u in db.scalars(select(User).order_by(User.id))]


def conditional(db: Session, deep: bool) -> list:
    statement = select(Order).order_by(Order.id)
    if deep:
        statement = statement.where(Order.total > 5)
    found = db.scalars(statement).all()
    return [o.user.name if deep else o.id for o in found]


def run() -> None:
    with SessionLocal() as db:
        print(tree(db), conditional(db, True), conditional(db, False))
        users = {u.id: u for u in db.scalars(select(User))}
        for order in db.scalars(select(Order).order_by(Order.id)):
            print(order.user is users[order.user_id], end=" ")
        db.rollback()
        for user in sorted(users.values(), key=lambda u: u.id):
            user.orders.append(Order(total=user.id))
        db.commit()
        print([len(u.orders) for u in users.values()])


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

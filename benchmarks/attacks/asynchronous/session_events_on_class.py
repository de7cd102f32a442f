# announced: the `identity_map` of a session
from sqlalchemy import event
from sqlalchemy.orm import Session as OrmSession
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

log: list[str] = []


@event.listens_for(OrmSession, "after_commit")
def committed(session):
    log.append(f"commit {len(session.identity_map)}")


@event.listens_for(OrmSession, "before_flush")
def flushing(session, context, instances):
    for item in session.new:
        if isinstance(item, Order) and item.user is not None:
            item.total += 1
            item.user.age += item.total


def run() -> None:
    with SessionLocal() as db:
        ann = db.scalars(select(User).where(User.name == "ann")).one()
        db.add(Order(total=4, user=ann))
        db.commit()
        print(ann.age, log[-1], ann.orders[-1].total)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

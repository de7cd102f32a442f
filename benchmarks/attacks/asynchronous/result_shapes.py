from sqlalchemy import insert
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
        result = db.execute(select(User.id, User.name).order_by(User.id))
        print(result.keys(), result.fetchone(), result.fetchmany(1), result.first())
        result = db.execute(select(User.name, func.count(Order.id).label("n")).join(Order).group_by(User.name).order_by(User.name))
        print([dict(row) for row in result.mappings()])
        for part in db.execute(select(Order.total).order_by(Order.id)).partitions(2):
            print([r.total for r in part])
        print(db.execute(insert(User).values(name="i")).inserted_primary_key)
        print(db.scalars(insert(User).returning(User.name), [{"name": "j"}, {"name": "k"}]).all())
        with db.execute(select(User.id)) as rows:
            print(next(iter(rows)), rows.closed)
        print(rows.closed, db.execute(update(User).values(age=1)).rowcount)
        print(db.execute(select(User.name)).columns(0).scalars().unique().all()[:2])
        print(db.scalars(select(User.id).order_by(User.id).execution_options(yield_per=2)).fetchmany(3))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

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
        ann = db.get(User, 1)
        print(db.query(User).filter(User.name == "ann").update({"age": 31}), ann.age)
        print(db.query(User).filter_by(name="ann").update({User.age: User.age + 1}, synchronize_session="fetch"), ann.age)
        print(db.query(User).update({"age": 9}, synchronize_session=False), ann.age)
        total = 0
        total += db.query(Order).filter(Order.total < 8).delete()
        print(total, db.query(Order).filter(Order.user.has(name="ann")).delete(synchronize_session="fetch"), db.query(Order).count())
        query = db.query(User).filter(User.id > 1)
        if query.count():
            deleted = query.delete()
        print(deleted, query.all(), db.query(User).delete(), db.query(User).first())
        db.rollback()
        print(db.query(User).count())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

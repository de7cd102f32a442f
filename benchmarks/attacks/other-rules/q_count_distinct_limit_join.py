# rules: query-to-select
from sqlalchemy import distinct
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
        print(db.query(User).join(Order).count(), len(db.query(User).join(Order).all()))
        print(db.query(User.name).join(Order).distinct().count(), db.query(User).limit(1).count(), db.query(Order).offset(2).count())
        print(db.query(func.count(distinct(Order.user_id))).scalar(), db.query(Order.user_id).group_by(Order.user_id).count())
        print(db.query(User, Order).filter(User.id == Order.user_id).count(), db.query(User, Order).count())
        print(db.query(User).order_by(User.id).filter(User.id > 99).count(), db.query(User).union(db.query(User)).count())
        print(db.query(User.id, User.name).count(), db.query(func.max(Order.total), func.min(Order.total)).one())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

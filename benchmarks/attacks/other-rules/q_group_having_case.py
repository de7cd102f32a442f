# rules: query-to-select
from sqlalchemy import case, desc, text
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
        print(db.query(User.name, func.sum(Order.total)).join(Order).group_by(User.id).having(func.count(Order.id) > 1).all())
        print(db.query(case((User.age > 35, "old"), else_="young").label("kind"), func.count()).group_by("kind").order_by("kind").all())
        print(db.query(User).order_by(desc("age")).first().name, db.query(User.name).order_by(text("age desc")).first())
        print(db.query(User).filter(text("age > :n")).params(n=35).one().name, db.query(func.coalesce(func.max(User.age), 0)).filter(User.id > 9).scalar())
        print(db.query(User.age.op("+")(1)).order_by(User.id).all(), db.query((User.age * 2).label("d")).filter(User.id == 1).first().d)
        print(db.query(User.name, User.name).filter(User.id == 1).all(), db.query(User.id, Order.id).join(Order).order_by(Order.id).first())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

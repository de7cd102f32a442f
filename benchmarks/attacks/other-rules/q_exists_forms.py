# rules: query-to-select
from sqlalchemy import exists, literal, not_
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
        print(db.query(db.query(User).filter(User.name == "ann").exists()).scalar())
        print(db.query(exists().where(User.name == "zed")).scalar(), db.query(literal(True)).filter(db.query(User).exists()).scalar())
        print([u.name for u in db.query(User).filter(db.query(Order).filter(Order.user_id == User.id, Order.total > 15).exists())])
        print([u.name for u in db.query(User).filter(~User.orders.any(Order.total > 15))], db.query(User.id).filter(User.name == "q").scalar() is None)
        print(db.query(db.query(Order.id).filter(Order.total == 5).exists(), func.count(User.id)).all())
        db.add(User(name="pending"))
        print(db.query(exists().where(User.name == "pending")).scalar())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

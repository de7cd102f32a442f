# rules: query-to-select
from sqlalchemy.orm import Session as S, lazyload, raiseload
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
    with S(engine, autoflush=False) as db:
        db.add(User(name="n"))
        print(db.query(User).count(), db.query(User).autoflush(True).count(), len(db.query(User).all()))
        print(db.query(User).execution_options(x=1).get_execution_options().get("x"), db.query(User).enable_assertions(False).first().name)
        user = db.query(User).options(raiseload(User.orders)).first()
        try:
            print(user.orders)
        except Exception as error:
            print(type(error).__name__)
        print(db.query(User).filter(User.id == 1).populate_existing().options(lazyload(User.orders)).one() is user)
        print(db.query(User).yield_per(1).first().id, db.query(User.id).prefix_with("ALL").order_by(User.id).first(), db.query(User).with_hint(User, "x", "oracle").count())
        print(db.query(User).only_return_tuples(True).order_by(User.id).first() if hasattr(db.query(User), "only_return_tuples") else "-")
        print(db.query(User).reset_joinpoint().filter(False).all(), db.query(User).filter(None is None, True).count())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

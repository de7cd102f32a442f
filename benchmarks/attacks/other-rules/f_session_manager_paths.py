# rules: session-context-manager
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

def one(name: str):
    session = SessionLocal()
    try:
        user = session.query(User).filter_by(name=name).first()
        if user is None:
            return None
        session.expunge(user)
        return user
    finally:
        session.close()


def two() -> list:
    db = SessionLocal()
    user = db.get(User, 1)
    orders = user.orders
    db.close()
    return [user, orders]


def three(n: int) -> str:
    db = SessionLocal()
    try:
        db.get(User, n).age += 1
        db.commit()
    except AttributeError:
        db.rollback()
        return "none"
    else:
        return "ok"
    finally:
        db.close()
        db = None


def four(db: Session | None = None) -> int:
    session = db if db is not None else SessionLocal()
    try:
        return session.query(User).count()
    finally:
        if db is None:
            session.close()


def run() -> None:
    print(one("ann").name, one("x"), [o.total for o in two()[1]], three(1), three(9), four())
    with SessionLocal() as db:
        print(four(db), db.in_transaction())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

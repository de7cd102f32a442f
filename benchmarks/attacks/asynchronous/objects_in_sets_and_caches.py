# announced: can now be read after their session
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

cache: dict[int, User] = {}


def cached(db: Session, key: int) -> User | None:
    if key not in cache:
        cache[key] = db.get(User, key)
    return cache[key]


def run() -> None:
    with SessionLocal() as db:
        print(cached(db, 1).name, len(cached(db, 1).orders))
        cached(db, 1).age = 31
        db.commit()
    with SessionLocal() as db:
        user = cached(db, 1)
        try:
            print(user.age)
        except Exception as error:
            print(type(error).__name__)
        db.add(user)
        print(user.age, {u.name for u in {user, cached(db, 2)}}, len(user.orders))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

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
        users = db.query(User).order_by(User.id)
        print(*[u.name for u in users], *map(lambda r: r[0], db.query(User.age).order_by(User.id)))
        print(len([*users]), max(users, key=lambda u: u.age).name, sum(t for (t,) in db.query(Order.total)))
        print([i for i, u in enumerate(users, 1)], next(iter(users)).name, db.get(User, 1) in users, sorted(users, key=lambda u: -u.age)[0].name)
        first, second = users
        print(first.name, second.name, [u.name for u in reversed(users.all())], bool(users), list(filter(None, users))[0] is first)
        print({u.id: u for u in users}[2] is second, tuple(users) == (first, second), any(u.age > 35 for u in users))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

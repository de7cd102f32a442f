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

def name_of(db: Session, user_id: int) -> str | None:
    return db.scalar(select(User.name).where(User.id == user_id))


def run() -> None:
    with SessionLocal() as db:
        print([n for i in range(4) if (n := name_of(db, i))], n)
        print({i: name_of(db, i) for i in (1, 2) if name_of(db, i) != "bob"})
        print([[name_of(db, i) for i in row] for row in ([1], [2, 3])])
        print({name_of(db, i) or "-" for i in range(1, 3)} == {"ann", "bob"})
        print(*(name_of(db, i) for i in (1, 2)), sep="|")
        print("+".join(name_of(db, i) for i in (1, 2)), max((name_of(db, i) for i in (1, 2)), key=len))
        print(f"{name_of(db, 1)!r:>6} {name_of(db, 2) or 'x'}")
        lookup = dict((i, name_of(db, i)) for i in (2, 1))
        print(lookup, sorted(lookup, key=lookup.get))
        x = [name_of(db, 1)] * 2
        x[len(x) - 1] = name_of(db, 2)
        print(x, name_of(db, 1)[0], -len(name_of(db, 1)) ** 2)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

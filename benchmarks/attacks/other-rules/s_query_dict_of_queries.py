# rules: query-to-select
from dataclasses import dataclass
from functools import partial, reduce
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

@dataclass
class Report:
    title: str
    query: object

    def rows(self) -> int:
        return self.query.count()


def run() -> None:
    with SessionLocal() as db:
        reports = [Report("users", db.query(User)), Report("orders", db.query(Order).filter(Order.total > 5))]
        print({r.title: r.rows() for r in reports})
        queries = {"u": db.query(User), "o": db.query(Order)}
        print({k: q.count() for k, q in queries.items()}, queries["u"].first().name)
        filtered = reduce(lambda q, c: q.filter(c), [User.age > 1, User.age < 35], db.query(User))
        print([u.name for u in filtered])
        find = partial(db.query(User).filter_by, name="bob")
        print(find().one().age, (lambda q: q.count())(db.query(User)))
        setattr(db, "last", db.query(User))
        print(db.last.count())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

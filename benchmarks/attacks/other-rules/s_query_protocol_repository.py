# rules: query-to-select
from typing import Protocol
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

class Source(Protocol):
    def everyone(self): ...


class SqlSource:
    def __init__(self, db: Session) -> None:
        self._db = db

    def everyone(self):
        return self._db.query(User).order_by(User.id)


class ListSource:
    def __init__(self, rows: list) -> None:
        self.rows = rows

    def everyone(self):
        return self

    def all(self):
        return self.rows

    def limit(self, n: int):
        return ListSource(self.rows[:n])


def names(source: Source, n: int) -> list[str]:
    return [u.name for u in source.everyone().limit(n).all()]


def run() -> None:
    with SessionLocal() as db:
        print(names(SqlSource(db), 1), names(ListSource([User(name="x"), User(name="y")]), 1))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

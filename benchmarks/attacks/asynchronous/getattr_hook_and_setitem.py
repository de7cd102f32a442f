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

class Table:
    def __init__(self, db: Session, model: type[Base]) -> None:
        self.db, self.model = db, model

    def __getitem__(self, key: int):
        found = self.db.get(self.model, key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: int, values: dict) -> None:
        for name, value in values.items():
            setattr(self[key], name, value)

    def __delitem__(self, key: int) -> None:
        self.db.delete(self[key])


def run() -> None:
    with SessionLocal() as db:
        users = Table(db, User)
        users[1] = {"age": 5}
        print(users[1].age)
        try:
            del users[9]
        except KeyError as error:
            print(error)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

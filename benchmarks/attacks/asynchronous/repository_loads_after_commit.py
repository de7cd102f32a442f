from sqlalchemy import ForeignKey, create_engine, func, select, update, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload, joinedload, sessionmaker

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


class Users:
    def __init__(self, db: Session) -> None:
        self.db = db

    def one(self, key: int) -> User:
        return self.db.scalars(select(User).options(selectinload(User.orders)).where(User.id == key)).one()

    def order(self, key: int, total: int) -> User:
        user = self.one(key)
        self.db.add(Order(total=total, user_id=user.id))
        self.db.commit()
        return self.one(key)

def run() -> None:
    with SessionLocal() as db:
        users = Users(db)
        print(len(users.one(1).orders))
        kept = users.one(1)
        print([o.total for o in users.order(1, 7).orders], len(kept.orders))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

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

def search(db: Session, *conditions, order=None, limit: int | None = None, **equal) -> list[str]:
    query = db.query(User).filter_by(**equal)
    for condition in conditions:
        query = query.filter(condition)
    if order is not None:
        query = query.order_by(order)
    query = query.limit(limit) if limit else query
    return [user.name for user in query]


def run() -> None:
    with SessionLocal() as db:
        print(search(db), search(db, User.age > 35), search(db, order=User.id.desc(), limit=1), search(db, name="ann", age=30), search(db, User.age > 1, User.age < 35))
        conditions = []
        print(db.query(User).filter(*conditions).count(), db.query(User).filter(User.age > 30, *conditions).count())
        for key, value in {"name": "bob", "age": 40}.items():
            print(db.query(User.id).filter(getattr(User, key) == value).scalar())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()

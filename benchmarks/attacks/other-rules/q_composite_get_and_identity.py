# rules: query-to-select
from sqlalchemy.orm import joinedload, load_only
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
        ann = db.query(User).get(1)
        print(ann is db.query(User).get("1") or "other", db.query(User).get(99), db.query(User).get({"id": 2}).name)
        ann.age = 77
        print(db.query(User).populate_existing().get(1).age, db.query(User).options(load_only(User.name)).get(2).age)
        db.rollback()
        print(db.query(User).options(joinedload(User.orders)).get(1).age)
        try:
            print(db.query(User).filter(User.age > 1).get(1))
        except Exception as error:
            print(type(error).__name__)
        print(db.query(User).with_for_update().get(1).name, db.query(User).filter(User.id == 1).with_for_update(of=User).one() is ann)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
